/* What captured streams belong to: recording, the end of a step, late output, text appended. */
#define _GNU_SOURCE
#include "relay.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DRAIN_ROUNDS 64

struct stream *stream_of(pid_t pid, uint64_t start, uint8_t number)
{
    FOR_EACH_STREAM(s)
        if (s->pid == pid && s->start == start && s->number == number)
            return s;
    return NULL;
}

struct record *stream_record(struct stream *s)
{
    return &s->record;
}

void stream_set_merged(struct stream *s)
{
    s->merged = true;
}

bool stream_merged(const struct stream *s)
{
    return s->merged;
}

/* From now on it is this step's output. With `hold` its destination stays open until the step's end. */
void streams_record(pid_t pid, uint64_t start, uint32_t step, bool hold)
{
    FOR_EACH_STREAM(s)
        if (s->pid == pid && s->start == start) {
            s->step = step;
            s->recording = true;
            s->hold = hold;
            record_start(&s->record);
        }
}

/* It was no step: the relay goes on, nothing is kept. */
void streams_forget(pid_t pid, uint64_t start)
{
    FOR_EACH_STREAM(s)
        if (s->pid == pid && s->start == start) {
            s->recording = false;
            record_free(&s->record);
        }
}

uint32_t step_of_pipe(uint64_t ino)
{
    FOR_EACH_STREAM(s)
        if (s->ino == ino && s->in.fd >= 0)
            return s->step;
    return 0;
}

static struct stream *downstream(const struct stream *of)
{
    FOR_EACH_STREAM(s)
        if (of->down != 0 && s->ino == of->down && s != of && s->in.fd >= 0)
            return s;
    return NULL;
}

/* Reads all that was written until now. What the reader does not take at once is kept and sent on later. */
static void drain(struct stream *s, int depth)
{
    for (int i = 0; i < DRAIN_ROUNDS; i++) {
        int waiting = 0;
        if (s->in.fd >= 0)
            ioctl(s->in.fd, FIONREAD, &waiting);
        stream_flush(s);
        while (waiting > 0 && stream_pump(s, (size_t)waiting))
            ioctl(s->in.fd, FIONREAD, &waiting);
        struct stream *next = depth > 0 ? downstream(s) : NULL;
        if (next == NULL)
            break;
        size_t before = s->pending_len;
        drain(next, depth - 1); /* it writes into another step's pipe: on through that */
        stream_flush(s);
        if (s->pending_len == 0 || s->pending_len == before) {
            drain(next, depth - 1);
            break;
        }
    }
    stream_interest(s);
}

void streams_drain(pid_t pid, uint64_t start)
{
    FOR_EACH_STREAM(s)
        if (s->pid == pid && s->start == start)
            drain(s, 8);
}

static struct stream *to_append_to(pid_t pid, uint64_t start)
{
    struct stream *err = stream_of(pid, start, 2), *out = stream_of(pid, start, 1);
    if (err != NULL && err->out.fd >= 0)
        return err;
    return out != NULL && out->out.fd >= 0 ? out : NULL;
}

/* A line of its own, after all that was written. False when there is no captured stream to take it. */
bool streams_append(pid_t pid, uint64_t start, const char *text, size_t len)
{
    struct stream *s = to_append_to(pid, start);
    if (s == NULL)
        return false;
    drain(s, 8);
    struct bytes line = {0};
    if (s->record.last != '\n' && s->record.last != 0)
        put_u8(&line, '\n');
    put(&line, text, len);
    if (len > 0 && text[len - 1] != '\n')
        put_u8(&line, '\n');
    size_t done = s->pending_len == 0 ? stream_write(s, line.data, line.len) : 0;
    stream_keep(s, line.data + done, line.len - done);
    free(line.data);
    drain(s, 8);
    return true;
}

/* The step's end is reported; what comes now comes late. `final`: nothing more will be appended. */
void streams_end_step(uint32_t step, bool final)
{
    FOR_EACH_STREAM(s)
        if (s->step == step) {
            s->ended = true;
            if (final) {
                s->hold = false;
                record_free(&s->record);
            }
        }
}

bool streams_pending(void)
{
    FOR_EACH_STREAM(s) {
        int waiting = 0;
        if (s->in.fd >= 0)
            ioctl(s->in.fd, FIONREAD, &waiting);
        if (s->out.fd >= 0 && (waiting > 0 || s->pending_len > 0))
            return true;
    }
    return false;
}

static void report_late(struct stream *s)
{
    struct bytes b = {0};
    if (s->late == 0)
        return;
    put_u8(&b, s->number);
    put_u64(&b, s->late);
    channel_send_later(F_LATE_OUTPUT, s->step, &b);
    free(b.data);
    s->late = 0;
}

/* At the end, for streams that background processes still hold. */
void streams_report_late(void)
{
    FOR_EACH_STREAM(s)
        report_late(s);
}

/* Closes and frees what is over; run between the loop's events, when no handler holds a stream. */
void streams_sweep(void)
{
    for (struct stream **at = &streams, *s; (s = *at) != NULL;) {
        if (s->in.fd < 0 && s->pending_len == 0 && !s->hold)
            stream_close_end(&s->out);
        bool wanted = s->recording && !s->ended;
        if (s->in.fd >= 0 || s->out.fd >= 0 || wanted) {
            at = &s->next;
            continue;
        }
        report_late(s);
        *at = s->next;
        record_free(&s->record);
        free(s->pending);
        free(s);
    }
}
