/* The socket to the supervisor: frames in, frames out, never waiting once the run has begun. */
#define _GNU_SOURCE
#include "kernel.h"

#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

#define HEADER 16
#define QUEUE_HIGH (4u << 20)
#define QUEUE_LOW (1u << 20)
#define BATCH_MS 20
#define SOON_MS 1
#define BATCH_BYTES 65536
#define CONFIG_WAIT_MS 3600000 /* the supervisor reads the whole workspace first; if it goes, its socket tells */

static struct bytes in, out;
static size_t out_sent;
static int64_t flush_at;
static bool paused;

static void channel_ready(struct watch *w, uint32_t events);
static struct watch channel = {-1, channel_ready, NULL, 0};

void channel_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        give_up("the channel's path is too long");
    strcpy(address.sun_path, path);
    channel.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (channel.fd < 0 || connect(channel.fd, (struct sockaddr *)&address, sizeof address) != 0)
        give_up("cannot connect to the supervisor");
    fcntl(channel.fd, F_SETFL, O_NONBLOCK);
}

static void pause_if_behind(void)
{
    size_t queued = out.len - out_sent;
    if (!paused && queued > QUEUE_HIGH)
        notify_pause(paused = true);
    else if (paused && queued < QUEUE_LOW)
        notify_pause(paused = false);
}

void channel_flush(void)
{
    flush_at = 0;
    while (out_sent < out.len) {
        ssize_t n = send(channel.fd, out.data + out_sent, out.len - out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            out_sent += (size_t)n;
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (g.phase == WAITING_FOR_BYE) { /* it may have said BYE and gone: what can be read decides */
            out_sent = out.len = 0;
            return;
        }
        channel.fd = -1; /* the reason cannot be sent any more */
        give_up("the supervisor is gone");
    }
    if (out_sent == out.len) {
        out_sent = out.len = 0;
        if (out.cap > QUEUE_HIGH) {
            free(out.data);
            out = (struct bytes){0};
        }
    }
    else if (out_sent > out.cap / 2) {
        memmove(out.data, out.data + out_sent, out.len - out_sent);
        out.len -= out_sent;
        out_sent = 0;
    }
    watch_change(&channel, EPOLLIN | (out.len > 0 ? EPOLLOUT : 0));
    pause_if_behind();
}

static void queue_frame(uint8_t type, uint64_t id, const struct bytes *payload)
{
    put_u32(&out, payload ? (uint32_t)payload->len : 0);
    put_u8(&out, type);
    put(&out, "\0\0\0", 3);
    put_u64(&out, id);
    if (payload != NULL)
        put(&out, payload->data, payload->len);
}

void channel_send(uint8_t type, uint64_t id, const struct bytes *payload)
{
    queue_frame(type, id, payload);
    if (channel.fd >= 0)
        channel_flush();
}

/* What is queued goes with the next frame that someone waits for, or in a millisecond. */
void channel_flush_soon(void)
{
    int64_t soon = now_ms() + SOON_MS;
    if (out.len > out_sent && (flush_at == 0 || soon < flush_at))
        wake_at(flush_at = soon);
}

/* For what nobody waits for: sent with the next frame that someone waits for, or shortly. */
void channel_send_later(uint8_t type, uint64_t id, const struct bytes *payload)
{
    queue_frame(type, id, payload);
    if (out.len - out_sent > BATCH_BYTES)
        channel_flush();
    else if (flush_at == 0)
        wake_at(flush_at = now_ms() + BATCH_MS);
}

void channel_run_timers(int64_t now)
{
    if (flush_at != 0 && now >= flush_at)
        channel_flush();
    else if (flush_at != 0)
        wake_at(flush_at);
}

/* The guard ends: what is queued gets a short chance. */
void channel_last_words(void)
{
    int64_t until = now_ms() + 1000;
    while (channel.fd >= 0 && out_sent < out.len && now_ms() < until) {
        struct pollfd p = {channel.fd, POLLOUT, 0};
        poll(&p, 1, 100);
        ssize_t n = send(channel.fd, out.data + out_sent, out.len - out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return;
        out_sent += n > 0 ? (size_t)n : 0;
    }
}

void notice(const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct bytes payload = {0};
    put_str(&payload, text, strlen(text));
    channel_send_later(F_NOTICE, 0, &payload);
    free(payload.data);
}

void channel_hello(const char *nonce)
{
    struct utsname name;
    struct bytes payload = {0};
    uname(&name);
    put_u32(&payload, PROTOCOL_VERSION);
    put_u32(&payload, (uint32_t)g.self);
    put_u32(&payload, g.capabilities);
    put_str(&payload, nonce, strlen(nonce));
    put_str(&payload, name.release, strlen(name.release));
    put_str(&payload, GUARD_VERSION, strlen(GUARD_VERSION));
    queue_frame(F_HELLO, 0, &payload);
    free(payload.data);
    channel_last_words();
}

/* Reads what is there. False at its end. */
static bool receive(void)
{
    uint8_t data[65536];
    ssize_t n = recv(channel.fd, data, sizeof data, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        return false;
    if (n > 0)
        put(&in, data, (size_t)n);
    return true;
}

/* Takes one frame off the input; false when there is no whole one. */
static bool next_frame(size_t *at, uint8_t *type, uint64_t *id, const uint8_t **payload, size_t *len)
{
    const uint8_t *p = in.data + *at;
    uint32_t length;
    if (in.len - *at < HEADER)
        return false;
    memcpy(&length, p, 4);
    if (length > FRAME_MAX || p[5] != 0 || p[6] != 0 || p[7] != 0 || p[4] < F_CONFIG || p[4] > F_BYE)
        give_up("a malformed frame came from the supervisor");
    if (in.len - *at < HEADER + (size_t)length)
        return false;
    *type = p[4];
    memcpy(id, p + 8, 8);
    *payload = p + HEADER;
    *len = length;
    *at += HEADER + (size_t)length;
    return true;
}

static void drop_input(size_t used)
{
    if (used == 0)
        return;
    memmove(in.data, in.data + used, in.len - used);
    in.len -= used;
}

void channel_await_config(void)
{
    int64_t until = now_ms() + CONFIG_WAIT_MS;
    uint8_t type;
    uint64_t id;
    const uint8_t *payload;
    size_t at = 0, len;
    while (!next_frame(&at, &type, &id, &payload, &len)) {
        struct pollfd p = {channel.fd, POLLIN, 0};
        int64_t left = until - now_ms();
        if (left <= 0 || poll(&p, 1, (int)left) == 0)
            give_up("no configuration came from the supervisor");
        if (!receive())
            give_up("the supervisor is gone");
    }
    if (type != F_CONFIG || id != 0 || !command_config(payload, len))
        give_up("the first frame is not a configuration");
    drop_input(at);
    if (watch_add(&channel, EPOLLIN) != 0)
        give_up("epoll_ctl failed");
}

static void channel_ready(struct watch *w, uint32_t events)
{
    (void)w;
    uint8_t type;
    uint64_t id;
    const uint8_t *payload;
    size_t at = 0, len;
    if (events & EPOLLOUT)
        channel_flush();
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        return;
    bool open = receive();
    while (next_frame(&at, &type, &id, &payload, &len))
        if (!command_handle(type, id, payload, len))
            give_up("a malformed frame came from the supervisor");
    drop_input(at);
    if (!open)
        give_up("the supervisor is gone");
}
