/* The race against a reader of argv: a thread flips the argument between "good" and "hood" while the program is
   executed: swap TRIES PROGRAM DIRECTORY. Each try runs `PROGRAM DIRECTORY/good-N` or `.../hood-N`; prints how many
   ended with 0 and with 126. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[4096];
static volatile char *letter; /* the one that changes: a torn word would be neither of the two */
static volatile int flips;

static void *flip(void *unused)
{
    (void)unused;
    for (;; flips++) {
        *letter = flips % 2 ? 'g' : 'h';
        for (volatile int i = 0; i < 100; i++)
            ;
    }
    return NULL;
}

/* The flipping thread must share memory with the process that executes, so both live in the forked child. */
static int one(const char *program, char **argv)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, flip, NULL);
        for (int until = 10 + rand() % 50; flips < until;)
            ;
        execv(program, argv);
        _exit(99);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
    int tries = argc == 4 ? atoi(argv[1]) : 0, ran = 0, refused = 0, other = 0;
    for (int n = 0; n < tries; n++) {
        int length = snprintf(path, sizeof path, "%s/", argv[3]);
        letter = path + length;
        snprintf(path + length, sizeof path - (size_t)length, "good-%d", n);
        char *vector[] = {argv[2], path, NULL};
        srand((unsigned)n);
        int code = one(argv[2], vector);
        if (code == 0)
            ran++;
        else if (code == 126)
            refused++;
        else
            other++;
    }
    printf("%d ran, %d refused, %d other\n", ran, refused, other);
    return other != 0;
}
