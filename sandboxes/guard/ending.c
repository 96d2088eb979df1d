/* The end of a step: all it wrote is relayed and reported before its parent can see that it is gone. */
#define _GNU_SOURCE
#include "kernel.h"

#include "guard.h"
#include "record.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define THREAD_CHECKS 10
#define THREAD_CHECK_MS 1

static void put_stream_end(struct bytes *b, const struct stream *s, bool captured)
{
    uint8_t digest[32] = {0}, coarse[COARSE_BYTES] = {0};
    const struct record *r = captured ? stream_record((struct stream *)s) : NULL;
    if (r != NULL)
        blake2b_end(&r->hash, digest);
    if (r != NULL && r->coarse != NULL)
        coarse_end(r->coarse, coarse);
    put_u8(b, r != NULL);
    put_u64(b, r != NULL ? r->total : 0);
    put(b, digest, sizeof digest);
    put(b, coarse, sizeof coarse);
}

void step_report_end(uint32_t step, pid_t pid, uint64_t start, int status, bool held)
{
    struct bytes b = {0};
    struct stream *out = stream_of(pid, start, 1), *err = stream_of(pid, start, 2);
    bool merged = out != NULL && stream_merged(out);
    if (out != NULL)
        record_send(stream_record(out), step, 1);
    if (err != NULL)
        record_send(stream_record(err), step, 2);
    put_u8(&b, WIFSIGNALED(status) ? 1 : 0);
    put_u32(&b, (uint32_t)(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)));
    put_u8(&b, (merged ? END_MERGED : 0) | (held ? END_HELD : 0));
    put_stream_end(&b, out, out != NULL);
    put_stream_end(&b, err, err != NULL);
    channel_send_later(F_STEP_END, step, &b);
    free(b.data);
    streams_end_step(step, !held);
}

static void last_exit(struct tracee *t)
{
    streams_drain(t->tgid, t->start);
    procs_adopt_children(t->tgid, t->start);
    if (t->step != 0) {
        bool held = t->hold_end;
        step_report_end(t->step, t->tgid, t->start, t->status, held);
        if (held) {
            t->state = T_END_HELD;
            wake_at(t->deadline = now_ms() + g.config.release_ms);
            channel_flush();
            return;
        }
    }
    /* Detached here, not after its death: so its end is its parent's alone to see, by wait or by pidfd. */
    trace_detach(t, 0);
    channel_flush_soon(); /* not now: the supervisor's waking would delay what the parent does next */
}

/* At PTRACE_EVENT_EXIT of the leader. That is the end of the process only when no other thread goes on; after
   exit_group the others are on their way out, which takes them a moment. */
void step_exit_stop(struct tracee *t)
{
    unsigned long status = 0;
    struct pstat st;
    if (t->state == T_VERDICT) /* a step that executes again, killed while that was judged */
        channel_send(F_CANCEL, t->exec, NULL);
    if (t->state != T_EXITING) {
        k_ptrace(K_PTRACE_GETEVENTMSG, t->tid, 0, (uintptr_t)&status);
        t->status = (int)status;
        t->checks = 0;
    }
    t->deadline = 0;
    if (!read_pstat(t->tgid, &st) || st.threads <= 1) {
        last_exit(t);
        return;
    }
    if (!exec_in_flight(t->tgid, t->tgid) && t->checks++ < THREAD_CHECKS) {
        t->state = T_EXITING;
        wake_at(t->deadline = now_ms() + THREAD_CHECK_MS);
        return;
    }
    /* pthread_exit of the leader, or an exec by another thread, which waits for this one: the process lives. */
    t->state = t->step != 0 ? T_STEP : T_REFUSED;
    k_ptrace(K_PTRACE_CONT, t->tid, 0, 0);
}

void step_release(struct tracee *t, const char *text, size_t len)
{
    t->deadline = 0;
    if (len > 0)
        streams_append(t->tgid, t->start, text, len);
    streams_drain(t->tgid, t->start);
    streams_end_step(t->step, true);
    trace_detach(t, 0);
}

/* It died without an exit stop (a SIGKILL at the wrong moment, a leader that went before its threads). Called
   before it is reaped. */
void step_died(struct tracee *t, int status)
{
    streams_drain(t->tgid, t->start);
    if (t->state == T_END_HELD)
        streams_end_step(t->step, true); /* reported already */
    else
        step_report_end(t->step, t->tgid, t->start, status, false);
}
