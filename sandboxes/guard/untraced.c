/* Steps that a debugger inside traces: their end is learned from a pidfd. */
#define _GNU_SOURCE
#include "kernel.h"

#include "guard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct untraced {
    struct watch watch;
    pid_t pid;
    uint64_t start;
    uint32_t step;
};

static void untraced_ready(struct watch *w, uint32_t events)
{
    struct untraced *u = w->arg;
    struct k_pidfd_info info = {.mask = K_PIDFD_INFO_EXIT};
    streams_drain(u->pid, u->start);
    if (!(events & EPOLLHUP)) { /* dead but not reaped: wait for that, its status comes with it */
        bool known = ioctl(w->fd, K_PIDFD_GET_INFO, &info) == 0 || errno == ESRCH;
        if (known) {
            watch_change(w, 0);
            return;
        }
    }
    memset(&info, 0, sizeof info);
    info.mask = K_PIDFD_INFO_EXIT;
    if (ioctl(w->fd, K_PIDFD_GET_INFO, &info) != 0 || !(info.mask & K_PIDFD_INFO_EXIT)) {
        notice("the exit status of step %u is not known: something else traces it", u->step);
        info.exit_code = 0;
    }
    step_report_end(u->step, u->pid, u->start, info.exit_code, false);
    watch_remove(w);
    close(w->fd);
    free(u);
}

void untraced_watch(pid_t pid, uint64_t start, uint32_t step)
{
    struct untraced *u = xrealloc(NULL, sizeof *u);
    *u = (struct untraced){.pid = pid, .start = start, .step = step};
    u->watch.fd = (int)syscall(K_NR_PIDFD_OPEN, pid, 0);
    u->watch.ready = untraced_ready;
    u->watch.arg = u;
    if (u->watch.fd < 0 || watch_add(&u->watch, EPOLLIN) != 0) {
        notice("the end of step %u will not be seen: no pidfd", step);
        free(u);
    }
}
