/* Starting the agent: fork, filter, wait for the supervisor's word, exec. */
#define _GNU_SOURCE
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static int child_socket = -1;
static struct rlimit files_limit;

static void failure_ready(struct watch *w, uint32_t events);
static struct watch failure = {-1, failure_ready, NULL, 0};

static int send_fd(int socket, int fd, bool wait_killable)
{
    char control[CMSG_SPACE(sizeof(int))] = {0};
    char word = wait_killable ? 'k' : '-';
    struct iovec iov = {&word, 1};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    return sendmsg(socket, &msg, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

static int receive_fd(int socket, bool *wait_killable)
{
    char control[CMSG_SPACE(sizeof(int))] = {0};
    char word = 0;
    int fd;
    struct iovec iov = {&word, 1};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(socket, &msg, MSG_CMSG_CLOEXEC) != 1)
        return -1;
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    if (c == NULL || c->cmsg_type != SCM_RIGHTS)
        return -1;
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    *wait_killable = word == 'k';
    return fd;
}

/* execve, and as execvp does, a script without #! is given to the shell. */
static void exec_file(const char *path, char **argv)
{
    execve(path, argv, environ);
    if (errno != ENOEXEC)
        return;
    int argc = 0;
    while (argv[argc] != NULL)
        argc++;
    char **shell = calloc((size_t)argc + 2, sizeof *shell);
    if (shell == NULL)
        return;
    shell[0] = (char *)"/bin/sh";
    shell[1] = (char *)path;
    memcpy(shell + 2, argv + 1, (size_t)argc * sizeof *shell);
    execve(shell[0], shell, environ);
}

/* In a directory that may not be searched nothing is seen to be there. Leaves errno as it is. */
static bool is_there(const char *path)
{
    struct stat st;
    int error = errno;
    bool there = stat(path, &st) == 0;
    errno = error;
    return there;
}

static void exec_search(char **argv)
{
    const char *path = getenv("PATH");
    int found = ENOENT;
    if (strchr(argv[0], '/') != NULL) {
        exec_file(argv[0], argv);
        return;
    }
    if (path == NULL)
        path = "/usr/local/bin:/usr/bin:/bin";
    for (const char *end; *argv[0] != '\0'; path = end + 1) {
        char full[PATH_CAP];
        end = strchrnul(path, ':');
        size_t dir = (size_t)(end - path);
        if (dir + strlen(argv[0]) + 2 <= sizeof full) {
            memcpy(full, path, dir);
            if (dir > 0)
                full[dir++] = '/';
            strcpy(full + dir, argv[0]);
            exec_file(full, argv);
            if (errno != ENOENT && errno != ENOTDIR && is_there(full))
                found = errno; /* it is there but cannot be run: say so if no other can */
        }
        if (*end == '\0')
            break;
    }
    errno = found;
}

static void reset_signals(void)
{
    sigset_t none;
    for (int sig = 1; sig < NSIG; sig++)
        signal(sig, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void be_root(char **argv, int guard, int report)
{
    bool wait_killable = false;
    char word;
    /* Dumpable, or the guard could neither read nor trace it. If the guard dies so does the agent. */
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    int listener = filter_install(&wait_killable);
    if (listener < 0 || send_fd(guard, listener, wait_killable) != 0)
        _exit(125);
    close(listener);
    if (read(guard, &word, 1) != 1)
        _exit(125);
    close(guard);
    setrlimit(RLIMIT_NOFILE, &files_limit);
    reset_signals();
    exec_search(argv);
    int error = errno;
    if (write(report, &error, sizeof error) < 0)
        _exit(125);
    _exit(error == ENOENT ? 127 : 126);
}

static void raise_files_limit(void)
{
    struct rlimit most;
    if (getrlimit(RLIMIT_NOFILE, &files_limit) != 0)
        return;
    most = files_limit;
    most.rlim_cur = most.rlim_max;
    setrlimit(RLIMIT_NOFILE, &most);
}

/* Leaves a child that holds the filter and waits; start_go lets it exec. */
void start_root(char **argv)
{
    int sockets[2], report[2];
    bool wait_killable;
    raise_files_limit();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0 || pipe2(report, O_CLOEXEC) != 0)
        give_up("cannot make a pipe");
    g.root = fork();
    if (g.root < 0)
        give_up("cannot fork");
    if (g.root == 0) {
        close(sockets[0]);
        close(report[0]);
        be_root(argv, sockets[1], report[1]);
    }
    close(sockets[1]);
    close(report[1]);
    child_socket = sockets[0];
    failure.fd = report[0];
    failure.arg = argv[0];
    g.listener = receive_fd(child_socket, &wait_killable);
    if (g.listener < 0)
        give_up("the seccomp filter cannot be installed (a listener already there, or seccomp not permitted)");
    if (wait_killable)
        g.capabilities |= CAP_WAIT_KILLABLE;
}

void start_go(void)
{
    if (watch_add(&failure, EPOLLIN) != 0 || write(child_socket, "g", 1) != 1)
        give_up("the agent's process is gone before its start");
    close(child_socket);
}

/* True when the agent command could not be executed; said to the supervisor once. */
bool start_failed(void)
{
    int error;
    if (failure.fd < 0)
        return false;
    ssize_t n = read(failure.fd, &error, sizeof error);
    watch_remove(&failure);
    close(failure.fd);
    failure.fd = -1;
    if (n != sizeof error)
        return false; /* end of file: it runs */
    const char *path = failure.arg;
    struct bytes payload = {0};
    put_u32(&payload, (uint32_t)error);
    put_str(&payload, path, strlen(path));
    channel_send(F_START_FAILED, 0, &payload);
    free(payload.data);
    g.exit_code = error == ENOENT ? 127 : 126;
    g.phase = WAITING_FOR_BYE;
    wake_at(g.phase_deadline = now_ms() + 10000);
    return true;
}

static void failure_ready(struct watch *w, uint32_t events)
{
    (void)w;
    (void)events;
    start_failed();
}
