/* Signals as data: children's news, what outsiders send to the agent, and killing everything. */
#define _GNU_SOURCE
#include "kernel.h"

#include "guard.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const int forwarded[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};

static void signals_ready(struct watch *w, uint32_t events);
static struct watch signals = {-1, signals_ready, NULL, 0};

/* Everything: a ^Z or a ^C that reaches the whole foreground group must not stop or end the guard. */
void signals_block(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
}

void signals_watch(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (size_t i = 0; i < sizeof forwarded / sizeof *forwarded; i++)
        sigaddset(&set, forwarded[i]);
    signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals.fd < 0 || watch_add(&signals, EPOLLIN) != 0)
        give_up("signalfd failed");
}

static bool is_inside(pid_t pid)
{
    struct pstat st;
    for (int i = 0; i < 256 && pid > 1 && read_pstat(pid, &st); i++) {
        if (st.ppid == g.self)
            return true;
        pid = st.ppid;
    }
    return false;
}

/* A terminal's ^C has reached the root already when it is in the guard's process group. */
static bool comes_from_outside(const struct signalfd_siginfo *si)
{
    if (si->ssi_code == 0x80 /* SI_KERNEL */)
        return getpgid(g.root) != getpgrp();
    if (si->ssi_pid == 0)
        return true;
    return !g.pid1 && !is_inside((pid_t)si->ssi_pid);
}

static void signals_ready(struct watch *w, uint32_t events)
{
    (void)events;
    struct signalfd_siginfo si[8];
    bool children = false;
    ssize_t n = read(w->fd, si, sizeof si);
    for (size_t i = 0; n > 0 && i < (size_t)n / sizeof *si; i++) {
        if (si[i].ssi_signo == SIGCHLD)
            children = true;
        else if (g.phase == RUNNING && g.root > 0 && comes_from_outside(&si[i]))
            kill(g.root, (int)si[i].ssi_signo);
    }
    if (children)
        trace_wait();
}

struct seen {
    pid_t pid, ppid;
    bool inside;
};

/* All processes below the guard, found in /proc; used where the guard is not PID 1. Returns how many. */
static size_t signal_descendants(int sig)
{
    size_t len = 0, cap = 0, found = 0;
    struct seen *all = NULL;
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        struct pstat st;
        if (!isdigit((unsigned char)entry->d_name[0]) || !read_pstat((pid_t)atoi(entry->d_name), &st))
            continue;
        if (len == cap)
            all = xrealloc(all, (cap = cap ? cap * 2 : 256) * sizeof *all);
        all[len++] = (struct seen){st.pid, st.ppid, st.ppid == g.self};
    }
    if (dir != NULL)
        closedir(dir);
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < len; i++)
            for (size_t j = 0; j < len && !all[i].inside; j++)
                if (all[j].inside && all[j].pid == all[i].ppid)
                    all[i].inside = more = true;
    }
    for (size_t i = 0; i < len; i++)
        if (all[i].inside && ++found)
            kill(all[i].pid, sig);
    free(all);
    return found;
}

void signal_everything(int sig)
{
    if (g.pid1)
        kill(-1, sig);
    else
        signal_descendants(sig);
}

/* Returns when nothing is left (or cannot be killed: a process stuck in the kernel), at most 5 s later. */
void kill_everything(void)
{
    int64_t until = now_ms() + 5000;
    struct timespec pause = {0, 2000000};
    trace_kill_all();
    if (g.pid1) {
        kill(-1, SIGKILL); /* and the kernel kills what is left when PID 1 exits */
        return;
    }
    /* Never kill(-1) here: that would be the user's whole session. */
    while (signal_descendants(SIGKILL) > 0 && now_ms() < until) {
        int status;
        pid_t pid;
        while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0)
            if (WIFSTOPPED(status))
                k_ptrace(K_PTRACE_DETACH, pid, 0, SIGKILL);
        nanosleep(&pause, NULL);
    }
}
