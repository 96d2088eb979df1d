/* The coarse digest: of a text in which everything that holds a digit is alike. PROTOCOL.md defines it. */
#ifndef MICROLOOP_COARSE_H
#define MICROLOOP_COARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COARSE_BYTES 16
#define COARSE_BLOCK 64
#define COARSE_ROOM 4096

/* A hash of a text, 16 bytes at a time; `hashed` bytes of it are in. */
struct mix {
    uint64_t h0, h1, hashed;
};

/* The canonical text waits in `out` and is hashed when that is full. A word that is still open stands at its end
   as it is, from `word_at` on; when it is so long that it must be hashed, `before` and `before_out` are what was
   there without it. */
struct coarse {
    struct mix mix, before;
    bool open, spilled, has_digit, has_other;
    uint64_t after_digit; /* 1: the byte before was one */
    size_t word_at, out_len, waiting_len;
    uint8_t waiting[2 * COARSE_BLOCK]; /* a block is looked at when the byte behind it is known */
    uint8_t before_out[16];
    uint8_t out[COARSE_ROOM];
};

void coarse_start(struct coarse *c);
void coarse_add(struct coarse *c, const uint8_t *data, size_t len);
void coarse_end(const struct coarse *c, uint8_t digest[COARSE_BYTES]);

#endif
