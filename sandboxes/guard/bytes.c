/* Growing byte buffers and the little-endian fields of a payload. */
#include "guard.h"

#include <string.h>

void put(struct bytes *b, const void *data, size_t len)
{
    if (b->len + len > b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 1024;
        while (cap < b->len + len)
            cap *= 2;
        b->data = xrealloc(b->data, cap);
        b->cap = cap;
    }
    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
}

void put_u8(struct bytes *b, uint8_t v)
{
    put(b, &v, 1);
}

void put_u32(struct bytes *b, uint32_t v)
{
    put(b, &v, 4); /* both targets are little-endian */
}

void put_u64(struct bytes *b, uint64_t v)
{
    put(b, &v, 8);
}

void put_str(struct bytes *b, const char *s, size_t len)
{
    put_u32(b, (uint32_t)len);
    put(b, s, len);
}
