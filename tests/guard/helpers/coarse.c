/* The guard's coarse digest as a shared library, for ctypes. */
#include "../../../sandboxes/guard/coarse.c"

void coarse_of(const uint8_t *data, size_t len, const size_t *cuts, size_t count, uint8_t digest[COARSE_BYTES])
{
    struct coarse c;
    size_t at = 0;
    coarse_start(&c);
    for (size_t i = 0; i < count; i++) {
        coarse_add(&c, data + at, cuts[i] - at);
        at = cuts[i];
    }
    coarse_add(&c, data + at, len - at);
    coarse_end(&c, digest);
}
