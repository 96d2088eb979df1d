/* Reading /proc. Nothing here may wait on a file system that someone in the sandbox serves (FUSE). */
#define _GNU_SOURCE
#include "kernel.h"

#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int open_proc(pid_t pid, const char *name, int flags)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC); /* musl's open sets the flag once more */
}

static ssize_t read_small(pid_t pid, const char *name, char *out, size_t cap)
{
    int fd = open_proc(pid, name, O_RDONLY);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, out, cap - 1);
    close(fd);
    if (n >= 0)
        out[n] = '\0';
    return n;
}

/* False when there is no such process. */
bool read_pstat(pid_t pid, struct pstat *out)
{
    char text[1024];
    if (read_small(pid, "stat", text, sizeof text) <= 0)
        return false;
    char *p = strrchr(text, ')'); /* the name before it is the program's to choose */
    if (p == NULL || p[1] == '\0')
        return false;
    p += 2;
    unsigned long long field[23] = {0};
    for (int i = 3; i <= 22; i++) {
        if (i == 3) {
            p++; /* the state, a letter */
            continue;
        }
        field[i] = strtoull(p, &p, 10);
    }
    out->pid = pid;
    out->ppid = (pid_t)field[4];
    out->pgid = (pid_t)field[5];
    out->sid = (pid_t)field[6];
    out->threads = (int)field[20];
    out->start = field[22];
    return true;
}

static pid_t status_field(pid_t pid, const char *name)
{
    char text[4096];
    if (read_small(pid, "status", text, sizeof text) <= 0)
        return -1;
    char *line = strstr(text, name);
    return line ? (pid_t)strtol(line + strlen(name), NULL, 10) : -1;
}

pid_t read_tgid(pid_t tid)
{
    return status_field(tid, "\nTgid:");
}

pid_t read_tracer(pid_t pid)
{
    return status_field(pid, "\nTracerPid:");
}

/* Length of the link's text, 0 when it cannot be read. Not cut: a longer one is no name at all. */
size_t read_link(pid_t pid, const char *name, char *out, size_t cap)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    ssize_t n = readlink(path, out, cap);
    if (n <= 0 || (size_t)n >= cap) {
        out[0] = '\0';
        return 0;
    }
    out[n] = '\0';
    return (size_t)n;
}

/* Does a path mean the same file to this thread as to the guard? */
bool same_view(pid_t tid)
{
    char link[PATH_CAP];
    if (read_link(tid, "ns/mnt", link, sizeof link) == 0 || strcmp(link, g.mount_ns) != 0)
        return false;
    return read_link(tid, "root", link, sizeof link) == 1; /* "/" */
}

/* The first `cap` bytes of the arguments, each ended by a NUL; `total` is the size of them all. */
size_t read_cmdline(pid_t pid, char *out, size_t cap, uint64_t *total)
{
    char rest[16384];
    size_t len = 0;
    ssize_t n;
    *total = 0;
    int fd = open_proc(pid, "cmdline", O_RDONLY);
    if (fd < 0)
        return 0;
    n = read(fd, out, cap); /* all of it in one go, if it fits */
    len = n > 0 ? (size_t)n : 0;
    *total = len;
    while (len == cap && (n = read(fd, rest, sizeof rest)) > 0)
        *total += (uint64_t)n;
    close(fd);
    return len;
}

bool stat_fd(pid_t pid, int fd, struct k_statx *out)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
    return syscall(K_NR_STATX, AT_FDCWD, path, K_AT_STATX_DONT_SYNC, K_STATX_BASIC, out) == 0;
}

enum fd_kind fd_kind_of(const struct k_statx *st)
{
    switch (st->mode & S_IFMT) {
    case S_IFIFO:
        return FD_PIPE;
    case S_IFSOCK:
        return FD_SOCKET;
    case S_IFREG:
        return FD_FILE;
    case S_IFCHR:
        if (st->rdev_major == 1 && st->rdev_minor == 3)
            return FD_NULL;
        /* virtual consoles and serial lines, /dev/tty and console, pty masters and slaves */
        if (st->rdev_major == 4 || st->rdev_major == 5 || (st->rdev_major >= 128 && st->rdev_major <= 143))
            return FD_TTY;
        return FD_OTHER;
    default:
        return FD_OTHER;
    }
}

void read_fd_kinds(pid_t pid, uint8_t kinds[3])
{
    for (int fd = 0; fd < 3; fd++) {
        struct k_statx st;
        if (stat_fd(pid, fd, &st))
            kinds[fd] = (uint8_t)fd_kind_of(&st);
        else
            kinds[fd] = errno == ENOENT ? FD_CLOSED : FD_OTHER;
    }
}
