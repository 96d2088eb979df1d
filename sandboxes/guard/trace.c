/* The ptrace side: which threads are attached, why, and what each stop means. */
#define _GNU_SOURCE
#include "kernel.h"

#include "guard.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BUCKETS 256

static struct tracee *table[BUCKETS];

long k_ptrace(long request, pid_t tid, uintptr_t addr, uintptr_t data)
{
    return syscall(SYS_ptrace, request, tid, addr, data);
}

struct tracee *tracee_find(pid_t tid)
{
    struct tracee *t = table[(unsigned)tid % BUCKETS];
    while (t != NULL && t->tid != tid)
        t = t->next;
    return t;
}

#define FOR_EACH(t)                       \
    for (size_t i_ = 0; i_ < BUCKETS; i_++) \
        for (struct tracee *t = table[i_], *next_; t != NULL && (next_ = t->next, true); t = next_)

struct tracee *tracee_by_exec(uint64_t exec)
{
    FOR_EACH(t)
        if (t->exec == exec && (t->state == T_VERDICT || t->state == T_PREEXEC))
            return t;
    return NULL;
}

struct tracee *tracee_by_step(uint32_t step)
{
    FOR_EACH(t)
        if (t->step == step)
            return t;
    return NULL;
}

/* Is a thread of this process, other than this one, on its way through execve? It waits for all others to go. */
bool exec_in_flight(pid_t tgid, pid_t but)
{
    FOR_EACH(t)
        if (t->tgid == tgid && t->tid != but && (t->state == T_EXECING || t->state == T_LEAVING))
            return true;
    return false;
}

static void insert(struct tracee *t)
{
    t->next = table[(unsigned)t->tid % BUCKETS];
    table[(unsigned)t->tid % BUCKETS] = t;
}

static void unlink_tracee(struct tracee *t)
{
    struct tracee **at = &table[(unsigned)t->tid % BUCKETS];
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
}

/* The thread's record, made when there is none. */
struct tracee *tracee_add(pid_t tid)
{
    struct tracee *t = tracee_find(tid);
    if (t != NULL)
        return t;
    t = xrealloc(NULL, sizeof *t);
    memset(t, 0, sizeof *t);
    t->tid = tid;
    insert(t);
    return t;
}

void tracee_drop(struct tracee *t)
{
    unlink_tracee(t);
    free(t->path);
    free(t->argv);
    free(t);
}

void trace_detach(struct tracee *t, int sig)
{
    k_ptrace(K_PTRACE_DETACH, t->tid, 0, (uintptr_t)sig);
    tracee_drop(t);
}

/* Before the end. Killed first, so that none held at its exec stop runs on; then let go, for one held at its exit
   stop cannot even be killed. */
void trace_kill_all(void)
{
    FOR_EACH(t) {
        kill(t->tid, SIGKILL);
        k_ptrace(K_PTRACE_DETACH, t->tid, 0, SIGKILL);
    }
}

/* A thread that is not the leader gets the leader's pid when its exec succeeds, and the leader's record, if any,
   is of a task that is gone without a word. */
static struct tracee *follow_exec(pid_t pid)
{
    unsigned long former = 0;
    k_ptrace(K_PTRACE_GETEVENTMSG, pid, 0, (uintptr_t)&former);
    struct tracee *leader = tracee_find(pid), *t = leader;
    if (former == 0 || (pid_t)former == pid || (t = tracee_find((pid_t)former)) == NULL)
        return leader;
    if (leader != NULL) {
        t->step = leader->step;
        t->hold_end = leader->hold_end;
        tracee_drop(leader);
    }
    unlink_tracee(t);
    t->tid = pid;
    insert(t);
    return t;
}

static void exec_stop(pid_t pid)
{
    struct tracee *t = follow_exec(pid);
    if (t == NULL) { /* cannot be; but nothing runs unseen */
        kill(pid, SIGKILL);
        return;
    }
    t->deadline = 0;
    if (t->step != 0)
        k_ptrace(K_PTRACE_SETOPTIONS, pid, 0, STEP_OPTIONS);
    exec_report(t);
}

static void syscall_stop(struct tracee *t)
{
    /* The first one is the way out of the execve itself. */
    if (t->state == T_REFUSED_BARE && t->checks++ == 0) {
        k_ptrace(K_PTRACE_SYSCALL, t->tid, 0, 0);
        return;
    }
    if (t->state == T_REFUSED_BARE && !refuse_at_syscall(t->tid))
        kill(t->tid, SIGKILL); /* refused it is */
    if (t->state == T_REFUSED_BARE)
        t->state = T_REFUSED;
    k_ptrace(K_PTRACE_CONT, t->tid, 0, 0);
}

static bool is_stop_signal(int sig)
{
    return sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

/* Stops that are neither exec nor exit: signals on their way, job control, our own interrupt. */
static void other_stop(struct tracee *t, int event, int sig)
{
    bool stays = t->step != 0 || t->state == T_REFUSED || t->state == T_REFUSED_BARE;
    if (event == 0 && sig == (SIGTRAP | 0x80)) {
        syscall_stop(t);
        return;
    }
    if (!stays) { /* it came back from an exec that failed */
        trace_detach(t, event == 0 ? sig : 0);
        return;
    }
    if (t->state == T_EXECING || t->state == T_LEAVING) {
        t->state = T_STEP;
        t->deadline = 0;
    }
    if (event == K_PTRACE_EVENT_STOP && is_stop_signal(sig))
        k_ptrace(K_PTRACE_LISTEN, t->tid, 0, 0);
    else
        k_ptrace(t->state == T_REFUSED_BARE ? K_PTRACE_SYSCALL : K_PTRACE_CONT, t->tid, 0,
                 event == 0 ? (uintptr_t)sig : 0);
}

static void stopped(pid_t pid, int status)
{
    int sig = status & 0xff, event = (status >> 8) & 0xff;
    if (event == K_PTRACE_EVENT_EXEC) {
        exec_stop(pid);
        return;
    }
    struct tracee *t = tracee_find(pid);
    if (t == NULL) {
        k_ptrace(K_PTRACE_DETACH, pid, 0, event == 0 ? (uintptr_t)sig : 0);
        return;
    }
    if (event == K_PTRACE_EVENT_EXIT)
        step_exit_stop(t);
    else
        other_stop(t, event, sig);
}

static void died(pid_t pid, int status)
{
    struct tracee *t = tracee_find(pid);
    if (t != NULL && t->state == T_VERDICT)
        channel_send(F_CANCEL, t->exec, NULL);
    if (t != NULL && t->step != 0)
        step_died(t, status); /* before the reaping: only then can its parent see the end */
    else if (t != NULL && (t->state == T_REFUSED || t->state == T_REFUSED_BARE))
        streams_drain(t->tgid, t->start);
    if (t != NULL)
        tracee_drop(t);
}

static int wait_status(const siginfo_t *si)
{
    if (si->si_code == CLD_EXITED)
        return (si->si_status & 0xff) << 8;
    return (si->si_status & 0x7f) | (si->si_code == CLD_DUMPED ? 0x80 : 0);
}

static void take_stops(void)
{
    siginfo_t si;
    for (;;) {
        si.si_pid = 0;
        if (waitid(P_ALL, 0, &si, WSTOPPED | WNOHANG | __WALL) != 0 || si.si_pid == 0)
            return;
        if (si.si_code == CLD_TRAPPED)
            stopped(si.si_pid, si.si_status);
    }
}

/* Takes all news. Deaths are looked at before they are reaped; the kernel mixes new stops in between. */
void trace_wait(void)
{
    siginfo_t si;
    for (;;) {
        take_stops();
        si.si_pid = 0;
        if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT | __WALL) != 0 || si.si_pid == 0)
            return;
        if (si.si_code == CLD_TRAPPED)
            continue;
        pid_t pid = si.si_pid;
        int status = wait_status(&si);
        died(pid, status);
        waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | __WALL);
        if (pid == g.root)
            root_ended(status);
    }
}

static void run_timer(struct tracee *t)
{
    switch (t->state) {
    case T_EXECING:
    case T_LEAVING:
        /* Its exec has failed, or takes long: if it does succeed, the exec stop comes before this one. */
        k_ptrace(K_PTRACE_INTERRUPT, t->tid, 0, 0);
        t->state = T_LEAVING;
        t->deadline = 0;
        break;
    case T_VERDICT:
    case T_PREEXEC:
        verdict_timed_out(t);
        break;
    case T_END_HELD:
        step_release(t, "", 0);
        break;
    case T_EXITING:
        step_exit_stop(t);
        break;
    default:
        t->deadline = 0;
    }
}

void trace_run_timers(int64_t now)
{
    FOR_EACH(t) {
        if (t->deadline != 0 && now >= t->deadline)
            run_timer(t);
        else if (t->deadline != 0)
            wake_at(t->deadline);
    }
}
