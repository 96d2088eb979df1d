/* Doors: ways out of a sandbox without a network. A thread of the guard listens on loopback and passes each
   connection on to a Unix socket of the supervisor. A thread, since nobody inside can stop or kill one of PID 1, and of
   its own, so that bulk data never delays a verdict: it shares nothing with the main loop but the table of fds. */
#define _GNU_SOURCE
#include "guard.h"
#include "passage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MOST_DOORS 8
#define MOST_PASSAGES 2048
#define BACKLOG 1024
#define EVENTS 64
#define PAUSE_MS 5

struct door {
    struct end ear;
    uint16_t port;
    struct sockaddr_un place;
    int64_t paused_until; /* 0: it lets in */
};

int doors_set = -1;
static struct door doors[MOST_DOORS];
static size_t door_count, most_passages;

/* Takes an argument PORT=PATH; false when it is none. */
bool door_add(const char *text)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);
    struct door *d = &doors[door_count];
    if (door_count == MOST_DOORS || text[0] < '1' || text[0] > '9' || port > 65535 || *end != '=')
        return false;
    if (end[1] != '/' || strlen(end + 1) >= sizeof d->place.sun_path)
        return false;
    d->port = (uint16_t)port;
    d->place.sun_family = AF_UNIX;
    strcpy(d->place.sun_path, end + 1);
    door_count++;
    return true;
}

static void door_listen(struct door *d)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(d->port)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    d->ear.fd = fd;
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, BACKLOG) == 0 &&
        end_want(&d->ear, EPOLLIN))
        return;
    char why[128];
    snprintf(why, sizeof why, "cannot listen on 127.0.0.1:%u: %s", (unsigned)d->port, strerror(errno));
    give_up(why);
}

/* Taken off the set meanwhile: who is let in nowhere waits in the kernel's queue, and nothing spins. */
static void door_pause(struct door *d)
{
    end_want(&d->ear, 0);
    d->paused_until = now_ms() + PAUSE_MS;
}

static bool is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

static int supervisor_connect(const struct door *d)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&d->place, sizeof d->place) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* The supervisor's side first: while its queue is full (EAGAIN, which cannot be polled for), nobody is let in. One
   connection an event, so that there is somebody to let in. */
static void door_ready(struct door *d)
{
    int on = 1, inside, outside = -1;
    bool short_of = passages_open() >= most_passages;
    if (!short_of) {
        outside = supervisor_connect(d);
        short_of = outside < 0 && (errno == EAGAIN || is_shortage(errno));
    }
    if (short_of) {
        door_pause(d);
        return;
    }
    inside = accept4(d->ear.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (inside < 0 && is_shortage(errno))
        door_pause(d);
    if (inside >= 0 && outside >= 0) {
        setsockopt(inside, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        passage_start(inside, outside);
        return;
    }
    if (inside >= 0)
        close(inside); /* nobody is there outside */
    if (outside >= 0)
        close(outside);
}

/* Milliseconds until a paused door lets in again; -1 when none is paused. */
static int doors_resume(void)
{
    int64_t next = -1, now = now_ms();
    for (struct door *d = doors; d < doors + door_count; d++) {
        if (d->paused_until != 0 && now >= d->paused_until)
            d->paused_until = end_want(&d->ear, EPOLLIN) ? 0 : now + PAUSE_MS;
        if (d->paused_until != 0 && (next < 0 || d->paused_until - now < next))
            next = d->paused_until - now;
    }
    return (int)next;
}

static void *run(void *unused)
{
    struct epoll_event events[EVENTS];
    (void)unused;
    for (;;) {
        int n = epoll_wait(doors_set, events, EVENTS, doors_resume());
        if (n < 0 && errno != EINTR)
            _exit(125);
        for (int i = 0; i < n; i++) {
            struct end *e = events[i].data.ptr;
            if (e->passage != NULL)
                passage_ready(e, events[i].events);
            else
                door_ready((struct door *)e);
        }
        passages_sweep();
    }
}

/* Half of the guard's fds at most: the main loop needs some for each command it looks at. */
static size_t passages_at_most(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur / 4 >= MOST_PASSAGES)
        return MOST_PASSAGES;
    return (size_t)files.rlim_cur / 4;
}

/* Called once the root has been forked: it must find neither the thread nor the sockets. All signals are blocked. */
void doors_open(void)
{
    pthread_t thread;
    if (door_count == 0)
        return;
    most_passages = passages_at_most();
    doors_set = epoll_create1(EPOLL_CLOEXEC);
    if (doors_set < 0)
        give_up("epoll_create1 failed");
    for (struct door *d = doors; d < doors + door_count; d++)
        door_listen(d);
    if (pthread_create(&thread, NULL, run, NULL) != 0)
        give_up("cannot start the thread of the doors");
}
