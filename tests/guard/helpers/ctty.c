/* Runs a program with stdin as its controlling terminal: ctty PROGRAM ARGUMENT... */
#include <sys/ioctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc < 2 || setsid() < 0 || ioctl(0, TIOCSCTTY, 0) != 0)
        return 99;
    execvp(argv[1], argv + 1);
    return 98;
}
