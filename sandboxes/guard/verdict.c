/* An exec seen: told to the supervisor, judged by it or by the guard itself, and carried out. */
#define _GNU_SOURCE
#include "kernel.h"

#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREEXEC_CHECK_MS 100

static uint64_t last_exec;
static const char timeout_message[] = "microloop: no verdict came in time, so this command was not run\n";

/* Arguments as strs; the last one may have been cut and then has no NUL. */
static void put_argv(struct bytes *b, const char *text, size_t len)
{
    uint32_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += text[i] == '\0' || i + 1 == len;
    put_u32(b, n);
    for (size_t at = 0; at < len;) {
        size_t part = strnlen(text + at, len - at);
        put_str(b, text + at, part);
        at += part + 1;
    }
}

static uint8_t put_arguments(struct bytes *tail, struct tracee *t, uint64_t *total)
{
    static char text[ARGV_CAP];
    uint8_t flags = 0;
    size_t len = t->state == T_PREEXEC ? 0 : read_new_argv(t->tid, text, sizeof text, total);
    if (len == 0 && t->state != T_PREEXEC)
        len = read_cmdline(t->tid, text, sizeof text, total);
    if (len > 0) {
        put_argv(tail, text, len);
        flags = EXEC_VERIFIED;
    } else if (t->argv != NULL) { /* traced by another */
        put_argv(tail, t->argv, t->argv_len);
        *total = t->argv_len;
    } else {
        put_argv(tail, t->path, strlen(t->path) + 1);
        *total = strlen(t->path) + 1;
    }
    return flags | (*total > ARGV_CAP ? EXEC_TRUNCATED : 0);
}

static void put_link(struct bytes *b, pid_t pid, const char *name, const char *otherwise)
{
    static char link[PATH_CAP + 1];
    size_t len = pid > 0 ? read_link(pid, name, link, sizeof link) : 0;
    link[len] = '\0';
    if (len == 0 && otherwise != NULL)
        put_str(b, otherwise, strlen(otherwise));
    else
        put_str(b, link, len);
}

static void send_exec(struct tracee *t, bool awaiting)
{
    static struct bytes b, argv; /* kept: this is done for every exec */
    const struct lineage *l = &t->lineage;
    struct proc *p = proc_find(t->tgid, t->start);
    uint8_t kinds[3], flags = awaiting ? EXEC_AWAITING : 0;
    uint64_t total = 0;
    b.len = argv.len = 0;
    bool first_kinds = p != NULL && p->captured && l->kind == L_AGENT_CHILD;
    if (first_kinds)
        memcpy(kinds, p->kinds, 3); /* as they were before the swap */
    else if (!awaiting)
        memset(kinds, FD_OTHER, 3); /* nobody judges by them: each costs a look into /proc */
    else
        read_fd_kinds(t->tgid, kinds);
    if (stream_of(t->tgid, t->start, 1) != NULL || stream_of(t->tgid, t->start, 2) != NULL)
        flags |= EXEC_CAPTURED;
    flags |= put_arguments(&argv, t, &total);
    put_u32(&b, (uint32_t)t->tgid);
    put_u32(&b, (uint32_t)t->ppid);
    put_u64(&b, l->parent_exec);
    put_u32(&b, l->step);
    put_u8(&b, (uint8_t)l->kind);
    put(&b, kinds, 3);
    put_u8(&b, flags);
    put_u64(&b, total);
    put_link(&b, t->state == T_PREEXEC ? 0 : t->tgid, "exe", t->path);
    put_link(&b, t->tgid, "cwd", NULL);
    put_link(&b, l->top > 1 ? l->top : 0, "exe", NULL);
    put(&b, argv.data, argv.len);
    if (awaiting)
        channel_send(F_EXEC, t->exec, &b);
    else
        channel_send_later(F_EXEC, t->exec, &b);
}

/* At its exec stop, or (T_PREEXEC) held in its notification. */
void exec_report(struct tracee *t)
{
    bool below = t->lineage.kind == L_NESTED || t->lineage.kind == L_HOUSEKEEPING;
    bool local = below && g.config.nested_local;
    t->exec = ++last_exec;
    send_exec(t, !local);
    if (t->state != T_PREEXEC)
        t->state = T_VERDICT;
    if (local) {
        struct verdict v = {.allow = true, .step = t->lineage.step};
        v.kind = t->lineage.kind == L_NESTED ? K_NESTED : K_HOUSEKEEPING;
        verdict_apply(t, &v);
        return;
    }
    t->verdict_by = now_ms() + g.config.verdict_ms;
    /* A held notification tells nothing of its caller's death: look now and then. */
    t->deadline = t->state == T_PREEXEC ? now_ms() + PREEXEC_CHECK_MS : t->verdict_by;
    wake_at(t->deadline);
}

static void remember(struct tracee *t, const struct verdict *v)
{
    static const enum proc_class classes[] = {
        [K_AGENT] = C_AGENT,
        [K_SHIM] = C_SHIM,
        [K_STEP] = C_STEP,
        [K_HOUSEKEEPING] = C_HOUSEKEEPING,
        [K_NESTED] = C_STEP,
    };
    struct proc *p = proc_put(t->tgid, t->start);
    p->class = classes[v->kind];
    p->exec = t->exec;
    p->step = v->kind == K_STEP || v->kind == K_NESTED ? v->step : 0;
    if (v->kind == K_NESTED && v->step == 0)
        p->step = t->lineage.step;
}

/* What the process's captured output means from now on. */
static void assign_streams(struct tracee *t, const struct verdict *v)
{
    if (v->kind == K_STEP && v->step != 0)
        streams_record(t->tgid, t->start, v->step, v->hold_end && t->state != T_PREEXEC);
    else if (v->kind != K_SHIM && t->step == 0)
        streams_forget(t->tgid, t->start);
}

static void allow(struct tracee *t, const struct verdict *v)
{
    remember(t, v);
    assign_streams(t, v);
    if (t->state == T_PREEXEC) {
        pid_t pid = t->tgid;
        uint64_t start = t->start, id = t->notification;
        tracee_drop(t);
        if (v->kind == K_STEP)
            untraced_watch(pid, start, v->step);
        notify_continue(id);
        return;
    }
    if (v->kind == K_STEP) {
        t->step = v->step;
        t->hold_end = v->hold_end;
    }
    if (t->step == 0) {
        trace_detach(t, 0);
        return;
    }
    t->state = T_STEP;
    k_ptrace(K_PTRACE_SETOPTIONS, t->tid, 0, STEP_OPTIONS); /* ESRCH: killed meanwhile, its death is on its way */
    k_ptrace(K_PTRACE_CONT, t->tid, 0, 0);
}

/* The message goes to the original of its captured output, else to its stderr as it is, without waiting. */
static void say_for_it(struct tracee *t, const struct verdict *v)
{
    if (streams_append(t->tgid, t->start, v->message, v->message_len))
        return;
    say_on_fd(t->tgid, 2, v->message, v->message_len);
}

static void refuse(struct tracee *t, const struct verdict *v)
{
    bool captured = stream_of(t->tgid, t->start, 1) != NULL || stream_of(t->tgid, t->start, 2) != NULL;
    if (t->state == T_PREEXEC) {
        uint64_t id = t->notification;
        say_for_it(t, v);
        tracee_drop(t);
        notify_answer(id, EPERM);
        return;
    }
    if (refuse_inject(t->tid, v->message, v->message_len)) {
        if (!captured && t->step == 0) {
            trace_detach(t, 0);
            return;
        }
        t->state = T_REFUSED;
        k_ptrace(K_PTRACE_SETOPTIONS, t->tid, 0, STEP_OPTIONS);
        k_ptrace(K_PTRACE_CONT, t->tid, 0, 0);
        return;
    }
    say_for_it(t, v);
    t->state = T_REFUSED_BARE;
    t->checks = 0;
    k_ptrace(K_PTRACE_SETOPTIONS, t->tid, 0, STEP_OPTIONS | K_PTRACE_O_TRACESYSGOOD);
    k_ptrace(K_PTRACE_SYSCALL, t->tid, 0, 0);
}

void verdict_apply(struct tracee *t, const struct verdict *v)
{
    t->deadline = 0;
    if (t->state == T_PREEXEC && !notify_valid(t->notification)) {
        channel_send(F_CANCEL, t->exec, NULL);
        tracee_drop(t);
    } else if (v->allow)
        allow(t, v);
    else
        refuse(t, v);
}

void verdict_timed_out(struct tracee *t)
{
    if (t->state == T_PREEXEC && notify_valid(t->notification) && now_ms() < t->verdict_by) {
        wake_at(t->deadline = now_ms() + PREEXEC_CHECK_MS);
        return;
    }
    struct verdict v = {.kind = K_STEP, .message = timeout_message, .message_len = sizeof timeout_message - 1};
    verdict_apply(t, &v);
}
