/* An execve that waits for its notification's answer. */
#ifndef MICROLOOP_REQUEST_H
#define MICROLOOP_REQUEST_H

#include "kernel.h"

#include "guard.h"

struct request {
    const struct k_notif *n;
    struct pstat who;
    struct lineage lineage;
    char path[PATH_CAP];
    char *argv; /* read only where someone else traces the caller */
    size_t argv_len;
    int error; /* nothing is there: what to answer */
};

bool request_is_execveat(const struct k_notif *n);
bool request_identify(struct request *r);
bool request_read(struct request *r);
void request_read_argv(struct request *r);

#endif
