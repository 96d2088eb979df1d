/* Reading what a caller of execve handed over, from its memory. It may change under our eyes: only hints. */
#define _GNU_SOURCE
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* Up to `len` bytes; -1 and errno. Seccomp profiles of older container runtimes forbid the first way. */
static ssize_t read_memory(pid_t tid, uint64_t addr, void *out, size_t len)
{
    struct iovec local = {out, len}, remote = {(void *)(uintptr_t)addr, len};
    ssize_t n = process_vm_readv(tid, &local, 1, &remote, 1, 0);
    if (n > 0 || (errno != EPERM && errno != ENOSYS))
        return n;
    int mem = open_proc(tid, "mem", O_RDONLY);
    if (mem < 0)
        return -1;
    n = pread(mem, out, len, (off_t)addr);
    close(mem);
    return n;
}

/* Reads a string up to its NUL; false when it is not all there. `len` excludes the NUL. */
static bool read_string(pid_t tid, uint64_t addr, char *out, size_t cap, size_t *len)
{
    size_t have = 0;
    while (have < cap) {
        /* Not over a page's end at once: the next page may not be there. */
        size_t part = 4096 - ((addr + have) & 4095);
        if (part > cap - have)
            part = cap - have;
        ssize_t n = read_memory(tid, addr + have, out + have, part);
        if (n <= 0)
            return false;
        char *end = memchr(out + have, '\0', (size_t)n);
        if (end != NULL) {
            *len = (size_t)(end - out);
            return true;
        }
        have += (size_t)n;
    }
    errno = ENAMETOOLONG;
    return false;
}

bool read_exec_path(pid_t tid, uint64_t addr, char *out, size_t cap)
{
    size_t len;
    return read_string(tid, addr, out, cap, &len);
}

/* NUL-separated arguments, at most ARGV_CAP bytes of them; to be freed. */
char *read_exec_argv(pid_t tid, uint64_t addr, size_t *len)
{
    struct bytes out = {0};
    char text[4096];
    for (uint64_t i = 0; addr != 0 && i < 4096 && out.len < ARGV_CAP; i++) {
        uint64_t pointer = 0;
        size_t n;
        memset(text, 0, sizeof text);
        if (read_memory(tid, addr + 8 * i, &pointer, 8) != 8 || pointer == 0)
            break;
        if (!read_string(tid, pointer, text, sizeof text - 1, &n))
            n = strnlen(text, sizeof text - 1); /* too long or unreadable: what is there */
        put(&out, text, n);
        put_u8(&out, 0);
    }
    *len = out.len < ARGV_CAP ? out.len : ARGV_CAP;
    return (char *)out.data;
}
