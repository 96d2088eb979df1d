/* Who asks to execute what, read from /proc and from the caller's memory. */
#define _GNU_SOURCE
#include "request.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool request_is_execveat(const struct k_notif *n)
{
    return n->data.nr == K_NR_EXECVEAT;
}

/* Is the file there? Only answered where the path means the same to the guard as to the caller; a relative path is
   not even looked at elsewhere, for a hostile file system could make the guard wait. */
static int look_for_file(const struct request *r)
{
    char relative[PATH_CAP + 64];
    const char *path = r->path;
    pid_t tid = (pid_t)r->n->pid;
    bool at_dir = request_is_execveat(r->n) && (int)r->n->data.args[0] != AT_FDCWD;
    if (path[0] != '/') {
        if (at_dir || path[0] == '\0' || !same_view(tid))
            return 0;
        snprintf(relative, sizeof relative, "/proc/%d/cwd/%s", (int)tid, path);
        path = relative;
    }
    if (faccessat(AT_FDCWD, path, F_OK, 0) == 0 || (errno != ENOENT && errno != ENOTDIR))
        return 0;
    int error = errno;
    return same_view(tid) ? error : 0;
}

/* What it wants to execute. False when the caller cannot be looked into. */
bool request_read(struct request *r)
{
    pid_t tid = (pid_t)r->n->pid;
    uint64_t addr = r->n->data.args[request_is_execveat(r->n) ? 1 : 0];
    if (!read_exec_path(tid, addr, r->path, sizeof r->path)) {
        r->path[0] = '\0'; /* the kernel will say EFAULT or ENAMETOOLONG itself */
        return errno != EACCES && errno != EPERM;
    }
    r->error = look_for_file(r);
    return true;
}

/* Only for where they cannot be read after the exec: they may change until then. */
void request_read_argv(struct request *r)
{
    uint64_t addr = r->n->data.args[request_is_execveat(r->n) ? 2 : 1];
    r->argv = read_exec_argv((pid_t)r->n->pid, addr, &r->argv_len);
}

/* Which process: the notification names a thread. */
bool request_identify(struct request *r)
{
    pid_t tid = (pid_t)r->n->pid;
    if (!read_pstat(tid, &r->who))
        return false;
    if (r->who.threads == 1)
        return true;
    pid_t tgid = read_tgid(tid);
    return tgid > 0 && (tgid == tid || read_pstat(tgid, &r->who));
}
