/* writer MEBIBYTES: that much of a log to stdout, in chunks of 64 KiB. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 65536
#define CHUNKS 16

static char text[CHUNK * CHUNKS + 256];

/* Lines of words and numbers of different lengths; the same in every run. */
static void make_text(void) {
    static const char *words[] = {"request", "served", "from", "cache", "while", "worker", "was", "compiling"};
    unsigned seed = 1;
    for (size_t at = 0; at < CHUNK * CHUNKS;) {
        at += (size_t)sprintf(text + at, "13:%02u:%02u.%03u INFO", seed % 60, seed / 64 % 60, seed / 4096 % 1000);
        for (unsigned i = 0; i < 3 + seed / 65536 % 8; i++)
            at += (size_t)sprintf(text + at, " %s", words[(seed / 256 >> i) % 8]);
        at += (size_t)sprintf(text + at, " %08x in %u.%us\n", seed, seed / 1024 % 100, seed / 512 % 10);
        seed = seed * 1664525 + 1013904223;
    }
}

int main(int argc, char **argv) {
    long left = (argc > 1 ? atol(argv[1]) : 1) * 1024 * 1024;
    make_text();
    for (size_t at = 0; left > 0;) {
        size_t want = left < CHUNK ? (size_t)left : CHUNK;
        ssize_t n = write(1, text + at, want);
        if (n <= 0)
            return 1;
        at = (at + CHUNK) % (CHUNK * CHUNKS);
        left -= n;
    }
    return 0;
}
