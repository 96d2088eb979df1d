/* Replacing a process's stdout and stderr by the guard's pipes while it waits in its execve. */
#define _GNU_SOURCE
#include "kernel.h"

#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PIPE_BYTES (1 << 20)

static void close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

static int open_pidfd(pid_t pid)
{
    return (int)syscall(K_NR_PIDFD_OPEN, pid, 0);
}

static int get_fd(int pidfd, int fd)
{
    return (int)syscall(K_NR_PIDFD_GETFD, pidfd, fd, 0);
}

/* Is it possible at all? Tried on the child that will be the agent. */
bool capture_probe(pid_t pid)
{
    int pidfd = open_pidfd(pid);
    int copy = pidfd < 0 ? -1 : get_fd(pidfd, 0);
    bool possible = copy >= 0 || (pidfd >= 0 && errno == EBADF);
    close_if_open(copy);
    close_if_open(pidfd);
    return possible;
}

static bool shares_fd_table(pid_t a, pid_t b)
{
    return syscall(K_NR_KCMP, a, b, K_KCMP_FILES, 0, 0) == 0;
}

static bool same_open_file(int a, int b, const struct stat *sa, const struct stat *sb)
{
    long order = syscall(K_NR_KCMP, g.self, g.self, K_KCMP_FILE, a, b);
    if (order >= 0)
        return order == 0;
    /* kcmp not permitted: for pipes and sockets the inode says it well enough */
    return !S_ISREG(sa->st_mode) && sa->st_dev == sb->st_dev && sa->st_ino == sb->st_ino;
}

/* A copy of what the process has there, if it is something to capture; else -1. */
static int original(const struct k_notif *n, int pidfd, int fd, enum fd_kind kind, struct stat *st)
{
    int type;
    socklen_t size = sizeof type;
    if (kind != FD_PIPE && kind != FD_SOCKET && kind != FD_FILE)
        return -1;
    if (kind == FD_FILE && !same_view((pid_t)n->pid))
        return -1; /* perhaps a FUSE of its own, which could hold the guard */
    int copy = get_fd(pidfd, fd);
    if (copy < 0 && errno == EPERM && notify_valid(n->id)) {
        g.capabilities &= ~(uint32_t)CAP_CAPTURE;
        notice("output is not captured: pidfd_getfd is not permitted");
    }
    if (copy < 0)
        return -1;
    bool ok = (fcntl(copy, F_GETFL) & O_ACCMODE) != O_RDONLY && fstat(copy, st) == 0;
    if (ok && kind == FD_SOCKET) /* others keep message bounds, which a pipe does not */
        ok = getsockopt(copy, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
    if (ok)
        return copy;
    close(copy);
    return -1;
}

static bool replace(const struct k_notif *n, int fd, int with)
{
    struct k_notif_addfd add = {
        .id = n->id, .flags = K_ADDFD_FLAG_SETFD, .srcfd = (uint32_t)with, .newfd = (uint32_t)fd};
    return ioctl(g.listener, K_NOTIF_ADDFD, &add) >= 0;
}

/* A pipe whose writing end is as blocking as what it replaces. */
static bool make_pipe(int like, int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    fcntl(ends[0], K_F_SETPIPE_SZ, PIPE_BYTES); /* may be over a user's limit: then 64 KiB do */
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    if (fcntl(like, F_GETFL) & O_NONBLOCK)
        fcntl(ends[1], F_SETFL, O_NONBLOCK);
    return true;
}

/* Takes over `copy`. Returns the new stream and leaves the pipe's writing end in `*write_end`. */
static struct stream *swap_one(const struct k_notif *n, const struct proc *p, int fd, int copy, int *write_end)
{
    int ends[2];
    struct stat st;
    if (!make_pipe(copy, ends)) {
        close(copy);
        notice("the output of process %d is not captured: no pipe could be made", (int)p->pid);
        return NULL;
    }
    if (fstat(ends[0], &st) != 0 || !replace(n, fd, ends[1])) {
        close(copy);
        close(ends[0]);
        close(ends[1]);
        return NULL;
    }
    *write_end = ends[1];
    return stream_new(ends[0], copy, p->kinds[fd], st.st_ino, p->pid, p->start, (uint8_t)fd);
}

void capture_swap(const struct k_notif *n, struct proc *p, pid_t ppid)
{
    struct stat st[3];
    int copy[3] = {-1, -1, -1}, write_end[3] = {-1, -1, -1};
    if (shares_fd_table(p->pid, ppid))
        return; /* the replacement would be the parent's, too */
    int pidfd = open_pidfd(p->pid);
    for (int fd = 1; fd <= 2 && pidfd >= 0; fd++)
        copy[fd] = original(n, pidfd, fd, p->kinds[fd], &st[fd]);
    close_if_open(pidfd);
    bool same = copy[1] >= 0 && copy[2] >= 0 && same_open_file(copy[1], copy[2], &st[1], &st[2]);
    struct stream *out = NULL;
    if (!notify_valid(n->id)) { /* what was copied may be another's */
        close_if_open(copy[1]);
        close_if_open(copy[2]);
        return;
    }
    if (copy[1] >= 0)
        out = swap_one(n, p, 1, copy[1], &write_end[1]);
    if (copy[2] >= 0 && same && out != NULL) {
        close(copy[2]);
        if (replace(n, 2, write_end[1]))
            stream_set_merged(out);
    } else if (copy[2] >= 0)
        swap_one(n, p, 2, copy[2], &write_end[2]);
    close_if_open(write_end[1]);
    close_if_open(write_end[2]);
}
