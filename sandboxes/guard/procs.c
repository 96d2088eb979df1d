/* Where a process stands: the table of processes whose execs were judged, and the way up to them. */
#include "kernel.h"

#include "guard.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUCKETS 1024
#define SWEEP_FIRST 4096
#define WALK_MAX 256

static struct proc *table[BUCKETS];
static size_t count, sweep_at = SWEEP_FIRST;

/* `start` 0: whoever has this pid. */
struct proc *proc_find(pid_t pid, uint64_t start)
{
    for (struct proc *p = table[(unsigned)pid % BUCKETS]; p != NULL; p = p->next)
        if (p->pid == pid && (start == 0 || p->start == start))
            return p;
    return NULL;
}

/* Dead processes go, but for leaders of groups and sessions that still live: orphans are found by those. */
static void sweep(void)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct proc **at = &table[i], *p; (p = *at) != NULL;) {
            struct pstat st;
            bool alive = read_pstat(p->pid, &st) && st.start == p->start;
            if (alive || p->pid == g.root || kill(-p->pid, 0) == 0) {
                at = &p->next;
                continue;
            }
            *at = p->next;
            free(p);
            count--;
        }
    sweep_at = count * 2 > SWEEP_FIRST ? count * 2 : SWEEP_FIRST;
}

/* The process's entry, made when there is none; an older process of the same pid makes way. */
struct proc *proc_put(pid_t pid, uint64_t start)
{
    struct proc *p = proc_find(pid, 0);
    if (p != NULL && p->start == start)
        return p;
    if (p == NULL) {
        if (count >= sweep_at)
            sweep();
        p = xrealloc(NULL, sizeof *p);
        p->next = table[(unsigned)pid % BUCKETS];
        table[(unsigned)pid % BUCKETS] = p;
        count++;
    }
    struct proc *next = p->next;
    memset(p, 0, sizeof *p);
    p->next = next;
    p->pid = pid;
    p->start = start;
    return p;
}

static bool known(const struct proc *p)
{
    return p != NULL && p->class != C_UNKNOWN;
}

static void below(const struct proc *p, struct lineage *out)
{
    out->parent_exec = p->exec;
    out->step = p->step;
    out->kind = p->class == C_STEP           ? L_NESTED
                : p->class == C_HOUSEKEEPING ? L_HOUSEKEEPING
                                             : L_AGENT_CHILD;
}

/* A process group's number cannot be given to a new process while the group lives, so a leader's entry that is
   not younger than the member is the right one. The agent's own group does not count: a step's background
   process may be in it. */
static bool below_leader(pid_t leader, const struct pstat *me, struct lineage *out)
{
    struct proc *p = proc_find(leader, 0);
    if (!known(p) || p->class == C_AGENT || p->start > me->start)
        return false;
    below(p, out);
    return true;
}

/* Its output ends in a pipe of a step's: it came from there. */
static bool below_pipe(pid_t pid, struct lineage *out)
{
    for (int fd = 1; fd <= 2; fd++) {
        struct k_statx st;
        if (!stat_fd(pid, fd, &st) || fd_kind_of(&st) != FD_PIPE)
            continue;
        uint32_t step = step_of_pipe(st.ino);
        if (step == 0)
            continue;
        out->kind = L_NESTED;
        out->step = step;
        return true;
    }
    return false;
}

/* The entry of a step's process that is attached: its pid cannot be another's before its death was seen here, so
   nothing need be read to know it. */
static struct proc *attached_step(pid_t pid)
{
    const struct tracee *t = tracee_find(pid);
    struct proc *p = t != NULL && t->state == T_STEP && t->tgid == pid ? proc_find(pid, t->start) : NULL;
    return known(p) ? p : NULL;
}

void find_lineage(const struct pstat *me, struct lineage *out)
{
    struct proc *self = proc_find(me->pid, me->start);
    memset(out, 0, sizeof *out);
    if (known(self)) {
        below(self, out);
        if (self->class == C_AGENT)
            out->kind = L_AGENT_SELF;
        return;
    }
    if (me->pid == g.root) {
        out->kind = L_ROOT;
        return;
    }
    struct pstat at = *me;
    for (int i = 0; i < WALK_MAX && at.ppid > 1 && at.ppid != g.self; i++) {
        struct pstat parent = {0};
        struct proc *p = attached_step(at.ppid);
        if (p == NULL && !read_pstat(at.ppid, &parent))
            break;
        if (p == NULL)
            p = proc_find(parent.pid, parent.start);
        if (known(p)) {
            below(p, out);
            return;
        }
        at = parent;
    }
    if (below_leader(at.pgid, &at, out) || below_leader(at.sid, &at, out) || below_pipe(me->pid, out))
        return;
    out->kind = L_ORPHAN;
    out->top = at.pid != me->pid ? at.pid : 0;
}

/* A step's process is about to go, and its children will belong to PID 1: remember whose they were. */
void procs_adopt_children(pid_t pid, uint64_t start)
{
    char name[40], text[4096];
    struct proc *parent = proc_find(pid, start);
    if (parent == NULL)
        return;
    struct proc of = *parent; /* the table may move under us */
    snprintf(name, sizeof name, "task/%d/children", (int)pid);
    int fd = open_proc(pid, name, O_RDONLY);
    if (fd < 0)
        return;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    char *at = text, *end;
    for (long child; (child = strtol(at, &end, 10)) > 0 && *end == ' '; at = end) {
        struct pstat st;
        if (!read_pstat((pid_t)child, &st) || known(proc_find(st.pid, st.start)))
            continue;
        struct proc *p = proc_put(st.pid, st.start);
        p->class = of.class;
        p->step = of.step;
        p->exec = of.exec;
    }
}
