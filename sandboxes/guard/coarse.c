/* The coarse digest, 64 bytes at a time: a bit for every byte of a kind, words found by arithmetic on those bits. */
#include "coarse.h"

#include <string.h>

typedef uint8_t vector __attribute__((vector_size(16)));
typedef uint64_t halves __attribute__((vector_size(16)));
typedef unsigned __int128 wide;

static const uint64_t k0 = 0x9e3779b97f4a7c15, k1 = 0xc2b2ae3d27d4eb4f;

/* One bit a byte. `other`: letters that are no hexadecimal digits, and the underscore. `point`: `.` and `,`. */
struct kinds {
    uint64_t word, digit, other, point, cr;
};

static inline uint64_t rotate(uint64_t v, int by)
{
    return (v << by) | (v >> (64 - by));
}

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline void mix_words(struct mix *m, uint64_t a, uint64_t b)
{
    m->h0 = rotate(m->h0, 29) + fold(a ^ k0, b ^ m->h0);
    m->h1 = rotate(m->h1, 31) + fold(b ^ k1, a ^ m->h1);
}

static void mix_blocks(struct mix *m, const uint8_t *data, size_t len)
{
    struct mix at = *m;
    for (size_t i = 0; i < len; i += 16) {
        uint64_t word[2];
        memcpy(word, data + i, 16); /* both targets are little-endian */
        mix_words(&at, word[0], word[1]);
    }
    at.hashed += len;
    *m = at;
}

/* The first `len` bytes of what stands in `out`, less what is no whole 16; the rest moves to the front. */
static void hash_out(struct coarse *c, size_t len)
{
    len -= len % 16;
    mix_blocks(&c->mix, c->out, len);
    c->out_len -= len;
    memmove(c->out, c->out + len, c->out_len);
}

static void make_room(struct coarse *c)
{
    if (!c->open || c->spilled) {
        hash_out(c, c->out_len);
        return;
    }
    hash_out(c, c->word_at);
    c->word_at %= 16;
    if (c->out_len < COARSE_ROOM / 2)
        return;
    c->before = c->mix;
    memcpy(c->before_out, c->out, sizeof c->before_out);
    c->spilled = true;
    hash_out(c, c->out_len);
}

/* Bytes of a comparison are 0 or 255: a bit of each, the first byte's lowest. */
static inline uint64_t bits_of(vector v)
{
#if defined(__SSE2__) && !defined(COARSE_PORTABLE)
    typedef char signed_vector __attribute__((vector_size(16)));
    return (uint32_t)__builtin_ia32_pmovmskb128((signed_vector)v);
#else
    const uint64_t one_each = 0x8040201008040201, sum = 0x0101010101010101;
    halves h = (halves)v;
    return ((h[0] & one_each) * sum) >> 56 | (((h[1] & one_each) * sum) >> 56) << 8;
#endif
}

static inline struct kinds kinds_of(const uint8_t *p)
{
    struct kinds k = {0};
    for (int i = 0; i < COARSE_BLOCK / 16; i++) {
        vector v;
        memcpy(&v, p + 16 * i, 16);
        vector letter = (v | 0x20) - 'a';
        vector is_digit = (vector)((vector)(v - '0') < 10), is_hex = (vector)(letter < 6);
        vector is_word = (vector)(letter < 26) | is_digit | (vector)(v == '_');
        k.word |= bits_of(is_word) << 16 * i;
        k.digit |= bits_of(is_digit) << 16 * i;
        k.other |= bits_of(is_word & ~(is_digit | is_hex)) << 16 * i;
        k.point |= bits_of((vector)((v & (uint8_t)~2) == ',')) << 16 * i;
        k.cr |= bits_of((vector)(v == '\r')) << 16 * i;
    }
    return k;
}

static uint64_t line_ends(const uint8_t *p)
{
    uint64_t bits = 0;
    for (int i = 0; i < COARSE_BLOCK; i++)
        bits |= (uint64_t)(p[i] == '\n') << i;
    return bits;
}

/* The lowest `n` bits, n up to 64. */
static inline uint64_t first_bits(unsigned n)
{
    return n < 64 ? ((uint64_t)1 << n) - 1 : ~(uint64_t)0;
}

static inline unsigned ones_below(uint64_t bits)
{
    return ~bits ? (unsigned)__builtin_ctzll(~bits) : 64;
}

static inline unsigned ones_above(uint64_t bits)
{
    return ~bits ? (unsigned)__builtin_clzll(~bits) : 64;
}

/* Of the runs of ones in `runs` that hold one of `marks` (a part of them): the bits from the first mark on. */
static inline uint64_t from_mark_on(uint64_t runs, uint64_t marks)
{
    return (runs & ~(runs + marks)) | marks;
}

/* At most 64 bytes; 64 are readable at `data`. Copies of one size need no branch. */
static inline void put_out(struct coarse *c, const uint8_t *data, size_t len)
{
    memcpy(c->out + c->out_len, data, COARSE_BLOCK);
    c->out_len += len;
}

/* The open word has ended: if it does not count as it is, one sign takes its place. */
static void close_word(struct coarse *c)
{
    bool long_enough = c->spilled || c->out_len - c->word_at >= 4;
    c->open = false;
    if (!c->has_digit && (c->has_other || !long_enough))
        return;
    c->out_len = c->word_at;
    if (c->spilled) {
        c->mix = c->before;
        memcpy(c->out, c->before_out, sizeof c->before_out);
    }
    c->out[c->out_len++] = '#';
}

/* `len` bytes of the open word, at `p`. Whether it counts as it is shows later: until then as if it did. */
static inline void add_to_word(struct coarse *c, const struct kinds *k, uint64_t part, const uint8_t *p, size_t len)
{
    c->has_digit |= (k->digit & part) != 0;
    c->has_other |= (k->other & part) != 0;
    if (!c->has_digit)
        put_out(c, p, len);
}

static inline void open_word(struct coarse *c)
{
    c->open = true;
    c->spilled = c->has_digit = c->has_other = false;
    c->word_at = c->out_len;
}

/* 64 bytes of the text, 128 are readable; `len` is less at its end, and what follows is zero. `next` comes then. */
static inline void take_block(struct coarse *c, const uint8_t *p, unsigned len, uint8_t next)
{
    struct kinds k = kinds_of(p);
    uint64_t digit_follows = k.digit >> 1 | (uint64_t)(next >= '0' && next <= '9') << 63;
    uint64_t word = k.word | (k.point & (k.digit << 1 | c->after_digit) & digit_follows), dropped = 0;
    unsigned at = 0;
    c->after_digit = k.digit >> 63;
    if (c->out_len > COARSE_ROOM - 3 * COARSE_BLOCK)
        make_room(c);
    if (k.cr != 0)
        dropped = k.cr & (line_ends(p) >> 1 | (uint64_t)(next == '\n') << 63);
    if (c->open) {
        at = ones_below(word);
        add_to_word(c, &k, first_bits(at), p, at);
        if (at == COARSE_BLOCK)
            return;
        close_word(c);
        word &= ~first_bits(at);
    }
    unsigned inside = COARSE_BLOCK - ones_above(word);
    uint64_t part = ~first_bits(inside);
    word &= ~part;
    uint64_t with_digit = from_mark_on(word, k.digit & word), with_other = from_mark_on(word, k.other & word);
    uint64_t fourth = word << 1 & word << 2 & word << 3;
    uint64_t ends = word & ~(word >> 1) & (with_digit | (~with_other & fourth));
    for (uint64_t changes = ends | dropped; changes != 0; changes &= changes - 1) {
        unsigned last = (unsigned)__builtin_ctzll(changes), run = ones_above(word << (63 - last));
        bool drop = dropped >> last & 1;
        put_out(c, p + at, last + 1 - (drop ? 1 : run) - at);
        c->out[c->out_len] = '#';
        c->out_len += !drop;
        at = last + 1;
    }
    put_out(c, p + at, (inside < len ? inside : len) - at);
    if (inside == COARSE_BLOCK)
        return;
    open_word(c);
    add_to_word(c, &k, part, p + inside, COARSE_BLOCK - inside);
}

void coarse_start(struct coarse *c)
{
    memset(c, 0, sizeof *c);
    c->mix.h0 = k1;
    c->mix.h1 = k0;
}

void coarse_add(struct coarse *c, const uint8_t *data, size_t len)
{
    if (len == 0)
        return;
    if (c->waiting_len > 0) {
        size_t room = COARSE_BLOCK + 1 - c->waiting_len, part = len < room ? len : room;
        memcpy(c->waiting + c->waiting_len, data, part);
        if (part < room) {
            c->waiting_len += part;
            return;
        }
        take_block(c, c->waiting, COARSE_BLOCK, c->waiting[COARSE_BLOCK]);
        data += part - 1; /* the last one was only looked at */
        len -= part - 1;
    }
    for (; len >= 2 * COARSE_BLOCK; data += COARSE_BLOCK, len -= COARSE_BLOCK)
        take_block(c, data, COARSE_BLOCK, data[COARSE_BLOCK]);
    memcpy(c->waiting, data, len);
    if (len > COARSE_BLOCK) {
        take_block(c, c->waiting, COARSE_BLOCK, c->waiting[COARSE_BLOCK]);
        len -= COARSE_BLOCK;
        memmove(c->waiting, c->waiting + COARSE_BLOCK, len);
    }
    c->waiting_len = len;
}

void coarse_end(const struct coarse *c, uint8_t digest[COARSE_BYTES])
{
    struct coarse last = *c;
    memset(last.waiting + last.waiting_len, 0, sizeof last.waiting - last.waiting_len);
    take_block(&last, last.waiting, (unsigned)last.waiting_len, 0);
    if (last.open)
        close_word(&last);
    memset(last.out + last.out_len, 0, 16);
    uint64_t length = last.mix.hashed + last.out_len;
    mix_blocks(&last.mix, last.out, last.out_len);
    mix_words(&last.mix, length, ~length);
    memcpy(digest, &last.mix.h0, 8);
    memcpy(digest + 8, &last.mix.h1, 8);
}
