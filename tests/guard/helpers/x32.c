/* execve and execveat by their x32 numbers: x32 520|545 /path/of/program argument. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    long number = argc == 4 ? 0x40000000L | atol(argv[1]) : 0, result;
    if (argc != 4)
        return 99;
    char *vector[] = {argv[2], argv[3], NULL};
    if ((number & 0xfff) == 545)
        result = syscall(number, AT_FDCWD, argv[2], vector, environ, 0);
    else
        result = syscall(number, argv[2], vector, environ);
    printf("x32 execve returned %ld\n", result);
    return 98;
}
