/* The guard: PID 1 of the sandbox. It starts the agent, sees every program start, and answers for the supervisor.
   PROTOCOL.md says how it talks; ../../ARCHITECTURE.md where it stands. */
#define _GNU_SOURCE
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 64
#define DRAIN_MS 200
#define BYE_MS 10000

struct guard g;
static char nonce[256];

int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The loop wakes at the earliest asked-for time; whoever still waits then asks again. */
void wake_at(int64_t deadline)
{
    if (g.next_wake == 0 || deadline < g.next_wake)
        g.next_wake = deadline;
}

int watch_add(struct watch *w, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = w};
    w->events = events;
    return epoll_ctl(g.epoll, EPOLL_CTL_ADD, w->fd, &e);
}

void watch_change(struct watch *w, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = w};
    if (w->events == events)
        return;
    w->events = events;
    epoll_ctl(g.epoll, EPOLL_CTL_MOD, w->fd, &e);
}

void watch_remove(struct watch *w)
{
    epoll_ctl(g.epoll, EPOLL_CTL_DEL, w->fd, NULL);
}

void *xrealloc(void *old, size_t size)
{
    void *p = realloc(old, size ? size : 1);
    if (p == NULL)
        give_up("out of memory");
    return p;
}

/* Fail closed: nothing of the sandbox may run on without its guard. */
_Noreturn void give_up(const char *why)
{
    static bool already;
    if (already)
        _exit(125);
    already = true;
    kill_everything();
    struct bytes payload = {0};
    put_str(&payload, why, strlen(why));
    channel_send(F_FATAL, 0, &payload);
    channel_last_words();
    struct pollfd p = {2, POLLOUT, 0};
    if (poll(&p, 1, 0) == 1 && (p.revents & POLLOUT))
        dprintf(2, "microloop guard: %s\n", why);
    _exit(125);
}

static char **parse_arguments(int argc, char **argv, const char **channel_path, const char **seed)
{
    int at = 3;
    bool ok = argc > 4 && strcmp(argv[1], "--channel") == 0;
    for (; ok && at + 1 < argc && strcmp(argv[at], "--") != 0; at += 2) {
        if (strcmp(argv[at], "--seed") == 0)
            *seed = argv[at + 1];
        else
            ok = strcmp(argv[at], "--door") == 0 && door_add(argv[at + 1]);
    }
    if (!ok || at + 1 >= argc) {
        fprintf(stderr, "usage: guard --channel PATH [--door PORT=PATH]... [--seed DIR] -- COMMAND [ARGUMENT...]\n");
        exit(2);
    }
    *channel_path = argv[2];
    return argv + at + 1;
}

static void take_nonce(void)
{
    char *value = getenv("MICROLOOP_NONCE");
    if (value == NULL)
        return;
    snprintf(nonce, sizeof nonce, "%s", value);
    memset(value, 0, strlen(value)); /* out of /proc/PID/environ too */
    unsetenv("MICROLOOP_NONCE");
}

/* A missing stdin, stdout or stderr must not become one of the guard's own fds; the agent still finds it missing. */
static void fill_stdio(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_CLOEXEC) < 0)
            _exit(125);
}

static void prepare(void)
{
    fill_stdio();
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* nobody inside may look into or trace the guard */
    g.self = getpid();
    g.pid1 = g.self == 1;
    g.capabilities = g.pid1 ? CAP_PID1 : 0;
    if (!g.pid1)
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    signals_block();
    g.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (g.epoll < 0 || read_link(g.self, "ns/mnt", g.mount_ns, sizeof g.mount_ns) == 0)
        give_up("/proc is not mounted");
}

static int timeout_ms(void)
{
    if (g.next_wake == 0)
        return -1;
    int64_t left = g.next_wake - now_ms();
    return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

/* Called when the root has been reaped; `status` as wait(2) gives it. */
void root_ended(int status)
{
    g.root = -1;
    if (g.phase != RUNNING || start_failed())
        return;
    g.exit_code = WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
    g.phase = DRAINING;
    g.phase_deadline = now_ms() + DRAIN_MS;
}

static void say_agent_exit(void)
{
    struct bytes payload = {0};
    streams_report_late();
    put_u8(&payload, g.exit_code >> 8 ? 1 : 0);
    put_u32(&payload, (uint32_t)(g.exit_code & 255));
    channel_send(F_AGENT_EXIT, 0, &payload);
    free(payload.data);
    g.exit_code = g.exit_code >> 8 ? 128 + (g.exit_code & 255) : g.exit_code;
    g.phase = WAITING_FOR_BYE;
    g.phase_deadline = now_ms() + BYE_MS;
}

/* The root has ended: let output drain a moment, say so, wait for BYE. False when it is time to go. */
static bool run_phases(int64_t now)
{
    if (g.phase == DRAINING && (!streams_pending() || now >= g.phase_deadline))
        say_agent_exit();
    if (g.phase == WAITING_FOR_BYE && now >= g.phase_deadline)
        return false;
    if (g.phase != RUNNING)
        wake_at(g.phase == DRAINING && now + 5 < g.phase_deadline ? now + 5 : g.phase_deadline);
    return true;
}

static void run_until_the_end(void)
{
    struct epoll_event events[EVENTS];
    for (;;) {
        int n = epoll_wait(g.epoll, events, EVENTS, timeout_ms());
        if (n < 0 && errno != EINTR)
            give_up("epoll_wait failed");
        for (int i = 0; i < n; i++) {
            struct watch *w = events[i].data.ptr;
            w->ready(w, events[i].events);
        }
        int64_t now = now_ms();
        if (g.next_wake != 0 && now >= g.next_wake) {
            g.next_wake = 0;
            trace_run_timers(now);
            notify_run_timers();
            channel_run_timers(now);
        }
        streams_sweep();
        if (g.phase != RUNNING && !run_phases(now))
            return;
    }
}

int main(int argc, char **argv)
{
    const char *channel_path, *seed = NULL;
    char **command = parse_arguments(argc, argv, &channel_path, &seed);
    prepare();
    take_nonce();
    channel_connect(channel_path);
    start_root(command);
    if (capture_probe(g.root))
        g.capabilities |= CAP_CAPTURE;
    channel_hello(nonce);
    channel_await_config();
    if (g.config.capture && !(g.capabilities & CAP_CAPTURE))
        notice("output is not captured: pidfd_getfd is not permitted here");
    if (seed != NULL)
        seed_home(seed);
    doors_open();
    signals_watch();
    notify_watch();
    start_go();
    run_until_the_end();
    kill_everything();
    channel_last_words();
    return g.exit_code;
}
