/* What is kept of a stream: its size and digests, its first and its last bytes. */
#ifndef MICROLOOP_RECORD_H
#define MICROLOOP_RECORD_H

#include "coarse.h"

/* blake2b.c */
struct blake2b {
    uint64_t h[8], t;
    uint8_t block[128];
    size_t used;
};
void blake2b_start(struct blake2b *b);
void blake2b_add(struct blake2b *b, const uint8_t *data, size_t len);
void blake2b_end(const struct blake2b *b, uint8_t digest[32]);

/* record.c. `coarse` is NULL while head and tail are the whole. */
struct record {
    struct blake2b hash;
    struct coarse *coarse;
    uint64_t total;
    uint8_t *head, *tail;
    size_t head_len, head_room, tail_len, tail_room, tail_at;
    uint8_t last;
};
void record_add(struct record *r, const uint8_t *data, size_t len);
void record_send(const struct record *r, uint32_t step, uint8_t number);
void record_start(struct record *r);
void record_free(struct record *r);

#endif
