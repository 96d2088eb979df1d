/* Moving the bytes of connections through a door, both ways. What was read and is not taken yet is kept, and nothing
   more is read before it is taken: so memory is bounded, and a slow reader slows down its own writer only. */
#define _GNU_SOURCE
#include "passage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK_BYTES (64 * 1024)
#define ROUNDS 8 /* chunks of one connection before the next one's turn */

struct flow {
    struct end *from, *to;
    uint8_t *kept;
    size_t at, len;
    bool ended; /* nothing more comes */
    bool told;  /* and the reader knows */
    bool lost;  /* the reader is gone: what comes is thrown away */
};

struct passage {
    struct passage *next, **at; /* what points to it */
    struct end inside, outside;
    struct flow out, in;
    bool broken, over;
};

static struct passage *going_on, *finished;
static size_t count;

size_t passages_open(void)
{
    return count;
}

bool end_want(struct end *e, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = e};
    int how = e->events == 0 ? EPOLL_CTL_ADD : events == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
    if (e->events == events)
        return true;
    e->events = events;
    return epoll_ctl(doors_set, how, e->fd, &event) == 0;
}

static void link_into(struct passage **list, struct passage *p)
{
    p->next = *list;
    p->at = list;
    if (p->next != NULL)
        p->next->at = &p->next;
    *list = p;
}

static void unlink_it(struct passage *p)
{
    *p->at = p->next;
    if (p->next != NULL)
        p->next->at = p->at;
}

/* Freed after the round: an event of its other end may be among those still to be handled. */
static void finish(struct passage *p)
{
    if (p->over)
        return;
    p->over = true;
    close(p->inside.fd);
    close(p->outside.fd);
    unlink_it(p);
    link_into(&finished, p);
}

void passages_sweep(void)
{
    for (struct passage *p; (p = finished) != NULL;) {
        unlink_it(p);
        free(p->out.kept);
        free(p->in.kept);
        free(p);
        count--;
    }
}

/* How much is dealt with: the rest would block. */
static size_t pass(struct flow *f, const uint8_t *bytes, size_t len)
{
    size_t done = 0;
    while (done < len && !f->lost) {
        ssize_t n = send(f->to->fd, bytes + done, len - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0)
            done += (size_t)n;
        else if (n < 0 && errno == EAGAIN)
            return done;
        else if (n == 0 || errno != EINTR)
            f->lost = true;
    }
    return len;
}

static bool keep(struct flow *f, const uint8_t *bytes, size_t len)
{
    f->kept = malloc(len);
    if (f->kept == NULL)
        return false;
    memcpy(f->kept, bytes, len);
    f->at = 0;
    f->len = len;
    return true;
}

static void pass_kept(struct flow *f)
{
    size_t done = pass(f, f->kept + f->at, f->len);
    f->at += done;
    f->len -= done;
    if (f->len > 0)
        return;
    free(f->kept);
    f->kept = NULL;
}

/* One read, passed on. False when no more is to be had now. */
static bool pump(struct passage *p, struct flow *f)
{
    static uint8_t chunk[CHUNK_BYTES];
    ssize_t n = recv(f->from->fd, chunk, sizeof chunk, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        f->ended = true;
        p->broken |= n < 0 && f == &p->out; /* the program inside has reset it: nothing can reach it any more */
        return false;
    }
    size_t done = pass(f, chunk, (size_t)n);
    if (done < (size_t)n && !keep(f, chunk + done, (size_t)n - done))
        p->broken = true;
    return (size_t)n == sizeof chunk && f->len == 0 && !p->broken;
}

static void move(struct passage *p, struct flow *f)
{
    if (f->len > 0)
        pass_kept(f);
    if (f->len == 0 && !f->ended)
        for (int i = 0; i < ROUNDS && pump(p, f); i++)
            continue;
    if (f->ended && f->len == 0 && !f->told) {
        f->told = true;
        shutdown(f->to->fd, SHUT_WR);
    }
}

/* The answer of a server that stopped listening still goes in; once a program inside is gone nothing is left to do. */
static bool is_over(const struct passage *p)
{
    return p->broken || p->in.lost || (p->in.told && (p->out.told || p->out.lost));
}

static uint32_t wanted(const struct flow *from, const struct flow *to)
{
    return (!from->ended && from->len == 0 ? EPOLLIN : 0) | (to->len > 0 ? EPOLLOUT : 0);
}

static void settle(struct passage *p)
{
    if (is_over(p) || !end_want(&p->inside, wanted(&p->out, &p->in)) ||
        !end_want(&p->outside, wanted(&p->in, &p->out)))
        finish(p);
}

void passage_ready(struct end *e, uint32_t events)
{
    struct passage *p = e->passage;
    struct flow *from = e == &p->inside ? &p->out : &p->in, *to = e == &p->inside ? &p->in : &p->out;
    if (p->over)
        return;
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        move(p, from);
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        move(p, to);
    settle(p);
}

/* Takes both sockets; where there is no memory for them they are closed. */
void passage_start(int inside, int outside)
{
    struct passage *p = calloc(1, sizeof *p);
    if (p == NULL) {
        close(inside);
        close(outside);
        return;
    }
    count++;
    link_into(&going_on, p);
    p->inside = (struct end){inside, 0, p};
    p->outside = (struct end){outside, 0, p};
    p->out.from = p->in.to = &p->inside;
    p->out.to = p->in.from = &p->outside;
    settle(p);
}
