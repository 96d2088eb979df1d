/* spawner RESULTS ROUNDS WORKERS PROGRAM [ARG...]
 * Each of WORKERS processes starts PROGRAM (posix_spawn) and waits for it ROUNDS times. RESULTS gets, with one
 * worker, a line of microseconds for every round; with more, one line: microseconds of wall time for each exec.
 * An argument "@" becomes a number that is different in every round. Exit code 1 when any start or program failed. */
#define _GNU_SOURCE
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int start_and_wait(char **argv) {
    pid_t pid;
    int status;
    if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) != 0)
        return 1;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 1;
    return !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static int work(char **argv, int rounds, double *took) {
    static char number[32];
    int failed = 0;
    char **place = NULL;
    for (char **arg = argv; *arg; arg++)
        if (strcmp(*arg, "@") == 0)
            place = arg;
    for (int i = 0; i < rounds; i++) {
        if (place) {
            snprintf(number, sizeof number, "%d.%d", (int)getpid(), i);
            *place = number;
        }
        double before = microseconds();
        failed |= start_and_wait(argv);
        if (took)
            took[i] = microseconds() - before;
    }
    return failed;
}

static int in_parallel(char **argv, int rounds, int workers) {
    int failed = 0, status;
    for (int i = 0; i < workers; i++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(work(argv, rounds, NULL));
        failed |= pid < 0;
    }
    for (int i = 0; i < workers; i++)
        failed |= wait(&status) < 0 || status != 0;
    return failed;
}

int main(int argc, char **argv) {
    if (argc < 5)
        return 2;
    int rounds = atoi(argv[2]), workers = atoi(argv[3]), failed;
    if (rounds < 1 || workers < 1)
        return 2;
    double *took = calloc((size_t)rounds, sizeof *took);
    if (!took)
        return 2;
    double before = microseconds();
    failed = workers == 1 ? work(argv + 4, rounds, took) : in_parallel(argv + 4, rounds, workers);
    double wall = microseconds() - before;
    FILE *results = fopen(argv[1], "w");
    if (!results)
        return 2;
    if (workers == 1)
        for (int i = 0; i < rounds; i++)
            fprintf(results, "%.1f\n", took[i]);
    else
        fprintf(results, "%.1f\n", wall / rounds / workers);
    return fclose(results) != 0 || failed;
}
