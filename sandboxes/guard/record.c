/* What is kept of a stream: its size, its digests, its first and its last bytes. */
#include "guard.h"
#include "record.h"

#include <stdlib.h>
#include <string.h>

#define PART_MAX 65536
#define ROOM_FIRST 4096

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void make_room(uint8_t **data, size_t *room, size_t need, size_t cap)
{
    if (need <= *room)
        return;
    size_t to = *room ? *room : ROOM_FIRST;
    while (to < need)
        to *= 2;
    *room = min(to, cap);
    *data = xrealloc(*data, *room);
}

static size_t keep_head(struct record *r, const uint8_t *data, size_t len)
{
    size_t part = min(len, g.config.head_cap - r->head_len);
    if (part == 0)
        return 0;
    make_room(&r->head, &r->head_room, r->head_len + part, g.config.head_cap);
    memcpy(r->head + r->head_len, data, part);
    r->head_len += part;
    return part;
}

/* The tail grows like the head until its cap; from then on it is a ring, `tail_at` its oldest byte. */
static void keep_tail(struct record *r, const uint8_t *data, size_t len)
{
    size_t cap = g.config.tail_cap;
    if (cap == 0)
        return;
    if (len > cap) {
        data += len - cap;
        len = cap;
    }
    size_t grow = min(len, cap - r->tail_len);
    if (grow > 0) {
        make_room(&r->tail, &r->tail_room, r->tail_len + grow, cap);
        memcpy(r->tail + r->tail_len, data, grow);
        r->tail_len += grow;
        data += grow;
        len -= grow;
    }
    while (len > 0) {
        size_t part = min(len, cap - r->tail_at);
        memcpy(r->tail + r->tail_at, data, part);
        r->tail_at = (r->tail_at + part) % cap;
        data += part;
        len -= part;
    }
}

/* Of the whole text, from its first byte on; but until now head and tail are that. */
static void add_coarse(struct record *r, const uint8_t *data, size_t len)
{
    if (r->total + len <= (uint64_t)g.config.head_cap + g.config.tail_cap)
        return;
    if (r->coarse == NULL) {
        r->coarse = xrealloc(NULL, sizeof *r->coarse);
        coarse_start(r->coarse);
        coarse_add(r->coarse, r->head, r->head_len);
        coarse_add(r->coarse, r->tail, r->tail_len);
    }
    coarse_add(r->coarse, data, len);
}

void record_add(struct record *r, const uint8_t *data, size_t len)
{
    if (len == 0)
        return;
    add_coarse(r, data, len);
    blake2b_add(&r->hash, data, len);
    r->total += len;
    r->last = data[len - 1];
    size_t head = keep_head(r, data, len);
    keep_tail(r, data + head, len - head);
}

static void send_parts(uint32_t step, uint8_t number, uint8_t part, const uint8_t *data, size_t len)
{
    struct bytes b = {0};
    for (size_t at = 0; at < len; at += PART_MAX - 2) {
        b.len = 0;
        put_u8(&b, number);
        put_u8(&b, part);
        put(&b, data + at, min(PART_MAX - 2, len - at));
        channel_send_later(F_OUTPUT, step, &b);
    }
    free(b.data);
}

void record_send(const struct record *r, uint32_t step, uint8_t number)
{
    send_parts(step, number, 0, r->head, r->head_len);
    if (r->tail_len < g.config.tail_cap) { /* not a ring yet */
        send_parts(step, number, 1, r->tail, r->tail_len);
        return;
    }
    send_parts(step, number, 1, r->tail + r->tail_at, r->tail_len - r->tail_at);
    send_parts(step, number, 1, r->tail, r->tail_at);
}

void record_start(struct record *r)
{
    record_free(r);
    blake2b_start(&r->hash);
}

void record_free(struct record *r)
{
    free(r->head);
    free(r->tail);
    free(r->coarse);
    memset(r, 0, sizeof *r);
}
