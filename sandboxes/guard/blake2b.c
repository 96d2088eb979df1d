/* BLAKE2b-256 (RFC 7693), unkeyed: the same digests as hashlib.blake2b(digest_size=32). */
#include "record.h"

#include <string.h>

static const uint64_t iv[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

static uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v; /* both targets are little-endian */
}

static inline uint64_t rotate(uint64_t v, int by)
{
    return (v >> by) | (v << (64 - by));
}

#define MIX(a, b, c, d, x, y)              \
    do {                                   \
        a += b + (x);                      \
        d = rotate(d ^ a, 32);             \
        c += d;                            \
        b = rotate(b ^ c, 24);             \
        a += b + (y);                      \
        d = rotate(d ^ a, 16);             \
        c += d;                            \
        b = rotate(b ^ c, 63);             \
    } while (0)

/* One round; the sigma permutation is spelled out so that every index is a constant. */
#define ROUND(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf) \
    do {                                                                      \
        MIX(v0, v4, v8, vc, m[s0], m[s1]);                                    \
        MIX(v1, v5, v9, vd, m[s2], m[s3]);                                    \
        MIX(v2, v6, va, ve, m[s4], m[s5]);                                    \
        MIX(v3, v7, vb, vf, m[s6], m[s7]);                                    \
        MIX(v0, v5, va, vf, m[s8], m[s9]);                                    \
        MIX(v1, v6, vb, vc, m[sa], m[sb]);                                    \
        MIX(v2, v7, v8, vd, m[sc], m[sd]);                                    \
        MIX(v3, v4, v9, ve, m[se], m[sf]);                                    \
    } while (0)

static void compress(struct blake2b *b, const uint8_t *block, uint64_t last)
{
    uint64_t m[16];
    for (int i = 0; i < 16; i++)
        m[i] = load64(block + 8 * i);
    uint64_t v0 = b->h[0], v1 = b->h[1], v2 = b->h[2], v3 = b->h[3];
    uint64_t v4 = b->h[4], v5 = b->h[5], v6 = b->h[6], v7 = b->h[7];
    uint64_t v8 = iv[0], v9 = iv[1], va = iv[2], vb = iv[3];
    uint64_t vc = iv[4] ^ b->t, vd = iv[5], ve = iv[6] ^ last, vf = iv[7];
    ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3);
    ROUND(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4);
    ROUND(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8);
    ROUND(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13);
    ROUND(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9);
    ROUND(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11);
    ROUND(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10);
    ROUND(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5);
    ROUND(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0);
    ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3);
    b->h[0] ^= v0 ^ v8;
    b->h[1] ^= v1 ^ v9;
    b->h[2] ^= v2 ^ va;
    b->h[3] ^= v3 ^ vb;
    b->h[4] ^= v4 ^ vc;
    b->h[5] ^= v5 ^ vd;
    b->h[6] ^= v6 ^ ve;
    b->h[7] ^= v7 ^ vf;
}

void blake2b_start(struct blake2b *b)
{
    memset(b, 0, sizeof *b);
    memcpy(b->h, iv, sizeof iv);
    b->h[0] ^= 0x01010000 ^ 32;
}

/* The last block is compressed differently, so a full block waits until more comes. */
void blake2b_add(struct blake2b *b, const uint8_t *data, size_t len)
{
    while (len > 0) {
        if (b->used == 0 && len > 128) {
            b->t += 128;
            compress(b, data, 0);
            data += 128;
            len -= 128;
            continue;
        }
        if (b->used == 128) {
            b->t += 128;
            compress(b, b->block, 0);
            b->used = 0;
            continue;
        }
        size_t part = 128 - b->used < len ? 128 - b->used : len;
        memcpy(b->block + b->used, data, part);
        b->used += part;
        data += part;
        len -= part;
    }
}

void blake2b_end(const struct blake2b *b, uint8_t digest[32])
{
    struct blake2b last = *b;
    memset(last.block + last.used, 0, 128 - last.used);
    last.t += last.used;
    compress(&last, last.block, ~(uint64_t)0);
    memcpy(digest, last.h, 32);
}
