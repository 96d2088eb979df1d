/* Captured streams: from the guard's pipe to where the output was meant to go, never waiting for a reader. */
#define _GNU_SOURCE
#include "kernel.h"

#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define READ_BYTES (128 * 1024)
#define AHEAD_BYTES (512 * 1024) /* read and hashed while the reader is busy */
#define ROUNDS 16

struct stream *streams;

void stream_close_end(struct watch *w)
{
    if (w->fd < 0)
        return;
    watch_remove(w);
    close(w->fd);
    w->fd = -1;
}

/* The reader is gone: with our reading end closed the writer gets its SIGPIPE, as it would have without us. */
static void break_off(struct stream *s)
{
    stream_close_end(&s->in);
    stream_close_end(&s->out);
    s->pending_len = 0;
}

/* A pipe of which we have no description of our own (its owner is another user): ask for no waiting, write by
   write. Kernels before 6.4 do not know that for pipes; what poll calls writable takes PIPE_BUF bytes. */
static ssize_t write_to_foreign_pipe(int fd, const uint8_t *data, size_t len)
{
    struct pollfd p = {fd, POLLOUT, 0};
    struct iovec v = {(void *)data, len};
    ssize_t n = syscall(K_NR_PWRITEV2, fd, &v, 1UL, -1L, -1L, K_RWF_NOWAIT);
    if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS))
        return n;
    if (poll(&p, 1, 0) != 1) {
        errno = EAGAIN;
        return -1;
    }
    return write(fd, data, len < PIPE_BUF ? len : PIPE_BUF);
}

/* How much was taken; the rest would block, or the stream is broken off. */
size_t stream_write(struct stream *s, const uint8_t *data, size_t len)
{
    size_t done = 0;
    while (done < len && s->out.fd >= 0) {
        ssize_t n;
        if (s->kind == FD_SOCKET)
            n = send(s->out.fd, data + done, len - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        else if (s->kind == FD_PIPE && !s->own)
            n = write_to_foreign_pipe(s->out.fd, data + done, len - done);
        else
            n = write(s->out.fd, data + done, len - done);
        if (n > 0)
            done += (size_t)n;
        else if (n < 0 && errno == EAGAIN)
            break;
        else if (n == 0 || errno != EINTR) {
            if (errno != EPIPE && errno != ECONNRESET)
                notice("output of process %d is lost: %s", (int)s->pid, strerror(errno));
            break_off(s);
        }
    }
    return done;
}

void stream_interest(struct stream *s)
{
    if (s->in.fd >= 0)
        watch_change(&s->in, s->pending_len < AHEAD_BYTES ? EPOLLIN : 0);
    if (s->out.fd >= 0 && s->kind != FD_FILE)
        watch_change(&s->out, s->pending_len > 0 ? EPOLLOUT : 0);
}

void stream_keep(struct stream *s, const uint8_t *data, size_t len)
{
    if (len == 0 || s->out.fd < 0)
        return;
    if (s->pending_at + s->pending_len + len > s->pending_room) {
        if (s->pending_at > 0)
            memmove(s->pending, s->pending + s->pending_at, s->pending_len);
        s->pending_at = 0;
        if (s->pending_len + len > s->pending_room)
            s->pending = xrealloc(s->pending, s->pending_room = s->pending_len + len + AHEAD_BYTES / 4);
    }
    memcpy(s->pending + s->pending_at + s->pending_len, data, len);
    s->pending_len += len;
}

void stream_flush(struct stream *s)
{
    if (s->pending_len == 0)
        return;
    size_t n = stream_write(s, s->pending + s->pending_at, s->pending_len);
    if (s->pending_len > 0) { /* else broken off */
        s->pending_at += n;
        s->pending_len -= n;
    }
    if (s->pending_len == 0)
        s->pending_at = 0; /* the room stays: it will be needed again */
}

/* One read, passed on and recorded. False when there was nothing. */
bool stream_pump(struct stream *s, size_t most)
{
    static uint8_t data[READ_BYTES];
    if (s->in.fd < 0)
        return false;
    ssize_t n = read(s->in.fd, data, most < sizeof data ? most : sizeof data);
    if (n < 0)
        return false;
    if (n == 0) {
        s->in_eof = true;
        stream_close_end(&s->in);
        return false;
    }
    /* Passed on first: the reader is busy with it while it is hashed. */
    size_t done = s->pending_len == 0 ? stream_write(s, data, (size_t)n) : 0;
    stream_keep(s, data + done, (size_t)n - done);
    if (s->ended)
        s->late += (uint64_t)n;
    else if (s->recording)
        record_add(&s->record, data, (size_t)n);
    else
        s->record.last = data[n - 1];
    return true;
}

static void stream_ready(struct watch *w, uint32_t events)
{
    struct stream *s = w->arg;
    if (w->fd < 0)
        return; /* closed by an event before this one */
    if (w == &s->out && (events & (EPOLLERR | EPOLLHUP))) {
        break_off(s);
        return;
    }
    stream_flush(s);
    for (int i = 0; i < ROUNDS && s->pending_len < AHEAD_BYTES && stream_pump(s, SIZE_MAX); i++)
        stream_flush(s);
    stream_interest(s);
}

/* The same file, but an open description of our own: so O_NONBLOCK is ours and not the reader's, too. */
static bool own_description(int *fd)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", *fd);
    int own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (own < 0)
        return false;
    close(*fd);
    *fd = own;
    return true;
}

struct stream *stream_new(int in, int out, enum fd_kind kind, uint64_t ino, pid_t pid, uint64_t start,
                          uint8_t number)
{
    struct stream *s = xrealloc(NULL, sizeof *s);
    struct stat st;
    memset(s, 0, sizeof *s);
    s->own = kind == FD_PIPE && own_description(&out);
    s->in = (struct watch){in, stream_ready, s, 0};
    s->out = (struct watch){out, stream_ready, s, 0};
    s->kind = kind;
    s->ino = ino;
    if (kind == FD_PIPE && fstat(out, &st) == 0)
        s->down = st.st_ino;
    s->pid = pid;
    s->start = start;
    s->number = number;
    record_start(&s->record);
    if (watch_add(&s->in, EPOLLIN) != 0 || (kind != FD_FILE && watch_add(&s->out, 0) != 0))
        give_up("epoll_ctl failed");
    s->next = streams;
    streams = s;
    return s;
}
