/* writer MEBIBYTES: that much to stdout, in chunks of 64 KiB. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
    static char chunk[65536];
    long left = (argc > 1 ? atol(argv[1]) : 1) * 1024 * 1024;
    memset(chunk, 'x', sizeof chunk);
    while (left > 0) {
        size_t want = left < (long)sizeof chunk ? (size_t)left : sizeof chunk;
        ssize_t n = write(1, chunk, want);
        if (n <= 0)
            return 1;
        left -= n;
    }
    return 0;
}
