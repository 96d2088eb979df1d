/* A program of our own, for static and mode-111 copies: touch FILE makes the file and says so. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc != 2 || open(argv[1], O_CREAT | O_WRONLY, 0644) < 0)
        return 99;
    puts("touched");
    return 0;
}
