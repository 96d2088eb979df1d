/* Reading a process's memory: what a caller of execve hands over, which may change under our eyes and is only a hint,
   and what its new image was given, which at the exec stop is what it will run with. */
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

/* The first `cap` bytes of a new image's arguments, each ended by a NUL; `total` is the size of them all. At its exec
   stop they lie where its stack pointer says: the same bytes as in its cmdline, without the files of /proc, which have
   to be made for every process. 0 where they are not found that way (a 32-bit image, no environment). */
size_t read_new_argv(pid_t pid, char *out, size_t cap, uint64_t *total)
{
    uint64_t word[64]; /* argc, argv, NULL, envp */
    uint64_t at = read_stack_pointer(pid);
    ssize_t n = at != 0 ? read_memory(pid, at, word, sizeof word) : 0;
    uint64_t have = n > 0 ? (uint64_t)n / sizeof *word : 0;
    if (have < 4 || word[0] < 1 || word[0] > have - 3)
        return 0;
    uint64_t first = word[1], end = word[word[0] + 2]; /* the environment comes right behind */
    if (end <= first)
        return 0;
    size_t part = end - first < cap ? (size_t)(end - first) : cap;
    if (read_memory(pid, first, out, part) != (ssize_t)part || (part < cap && out[part - 1] != '\0'))
        return 0;
    *total = end - first;
    return part;
}
