/* Seccomp notifications: someone calls execve. What does not exist is answered at once; all else is attached to
   and let go on, to be judged at its exec stop, where nothing can change any more. */
#define _GNU_SOURCE
#include "request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#define LEAVE_AFTER_MS 50
#define DEFER_MS 2

struct deferred {
    struct deferred *next;
    struct k_notif n;
};
static struct deferred *deferred;

static void notify_ready(struct watch *w, uint32_t events);
static struct watch listener = {-1, notify_ready, NULL, 0};

void notify_watch(void)
{
    listener.fd = g.listener;
    if (watch_add(&listener, EPOLLIN) != 0)
        give_up("the seccomp listener cannot be polled");
}

void notify_pause(bool pause)
{
    if (listener.fd >= 0)
        watch_change(&listener, pause ? 0 : EPOLLIN);
}

/* ENOENT from these is normal: the caller died or was interrupted. */
static void answer(uint64_t id, int error, uint32_t flags)
{
    struct k_notif_resp r = {.id = id, .error = -error, .flags = flags};
    ioctl(g.listener, K_NOTIF_SEND, &r);
}

void notify_answer(uint64_t id, int error)
{
    answer(id, error, 0);
}

void notify_continue(uint64_t id)
{
    answer(id, 0, K_NOTIF_FLAG_CONTINUE);
}

bool notify_valid(uint64_t id)
{
    return ioctl(g.listener, K_NOTIF_ID_VALID, &id) == 0;
}

static bool is_agent_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    for (char **at = g.config.agent_names; *at != NULL; at++)
        if (strcmp(*at, name) == 0)
            return true;
    return false;
}

static void capture_if_candidate(const struct request *r)
{
    bool wanted = g.config.capture && (g.capabilities & CAP_CAPTURE);
    if (!wanted || r->lineage.kind != L_AGENT_CHILD || is_agent_name(r->path))
        return;
    struct proc *p = proc_put(r->who.pid, r->who.start);
    if (p->captured)
        return;
    p->captured = true;
    read_fd_kinds(r->who.pid, p->kinds);
    capture_swap(r->n, p, r->who.ppid);
}

static struct tracee *make_tracee(struct request *r, enum trace_state state)
{
    struct tracee *t = tracee_add((pid_t)r->n->pid);
    if (t->state == T_PREEXEC && t->exec != 0) /* interrupted by a signal, and back */
        channel_send(F_CANCEL, t->exec, NULL);
    t->tgid = r->who.pid;
    t->ppid = r->who.ppid;
    t->start = r->who.start;
    t->lineage = r->lineage;
    t->notification = r->n->id;
    t->state = state;
    free(t->path);
    free(t->argv);
    t->path = strcpy(xrealloc(NULL, strlen(r->path) + 1), r->path);
    t->argv = r->argv;
    t->argv_len = r->argv_len;
    r->argv = NULL;
    return t;
}

static void refuse_unreadable(const struct request *r, const char *what)
{
    notice("the exec of process %d (%.200s) was refused: %s", (int)r->n->pid, r->path, what);
    notify_answer(r->n->id, EACCES);
}

/* Someone else traces it (gdb, strace): judged before the exec, on arguments that may still change. */
static void judge_before_exec(struct request *r)
{
    request_read_argv(r);
    capture_if_candidate(r);
    exec_report(make_tracee(r, T_PREEXEC));
}

/* Attaching waits for the lock that an exec of another thread of the process holds, and that exec may wait for us
   (its leader at the exit stop): so not while one is going on. It is tried again soon, or the thread is dead. */
static void defer(const struct k_notif *n)
{
    struct deferred *d = xrealloc(NULL, sizeof *d);
    d->n = *n;
    d->next = deferred;
    deferred = d;
    wake_at(now_ms() + DEFER_MS);
}

static void handle(const struct k_notif *n)
{
    struct request r = {.n = n};
    pid_t tid = (pid_t)n->pid;
    if (!request_identify(&r)) {
        notify_answer(n->id, EACCES);
        return;
    }
    if (exec_in_flight(r.who.pid, tid)) {
        defer(n);
        return;
    }
    if (!request_read(&r)) {
        if (notify_valid(n->id))
            refuse_unreadable(&r, "it cannot be looked into");
        return;
    }
    if (!notify_valid(n->id)) /* dead, and its pid may be another's by now */
        goto done;
    if (r.error != 0) {
        notify_answer(n->id, r.error);
        goto done;
    }
    find_lineage(&r.who, &r.lineage);
    struct tracee *known = tracee_find(tid);
    bool attached = known != NULL && known->start == r.who.start && known->state != T_PREEXEC;
    if (!attached && k_ptrace(K_PTRACE_SEIZE, tid, 0, K_PTRACE_O_TRACEEXEC | K_PTRACE_O_EXITKILL) != 0) {
        int error = errno;
        pid_t tracer = read_tracer(tid);
        if (!notify_valid(n->id))
            goto done;
        if (error == EPERM && tracer > 0 && tracer != g.self)
            judge_before_exec(&r);
        else
            refuse_unreadable(&r, "it cannot be attached to");
        goto done;
    }
    capture_if_candidate(&r);
    struct tracee *t = make_tracee(&r, T_EXECING);
    wake_at(t->deadline = now_ms() + LEAVE_AFTER_MS);
    notify_continue(n->id);
done:
    free(r.argv);
}

void notify_run_timers(void)
{
    struct deferred *d = deferred, *next;
    deferred = NULL;
    for (; d != NULL; d = next) {
        next = d->next;
        if (notify_valid(d->n.id))
            handle(&d->n);
        free(d);
    }
}

static void notify_ready(struct watch *w, uint32_t events)
{
    if (!(events & EPOLLIN)) { /* EPOLLHUP: no process holds the filter any more */
        watch_remove(w);
        return;
    }
    struct k_notif n;
    memset(&n, 0, sizeof n); /* the kernel insists */
    if (ioctl(w->fd, K_NOTIF_RECV, &n) == 0)
        handle(&n);
}
