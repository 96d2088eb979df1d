/* What the guard's files share: its one state, its tables, and the functions each file offers. */
#ifndef MICROLOOP_GUARD_H
#define MICROLOOP_GUARD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define GUARD_VERSION "0.1.0"
#define PROTOCOL_VERSION 2
#define FRAME_MAX 262144
#define PATH_CAP 4096
#define ARGV_CAP 32768
#define MESSAGE_CAP 16384

enum frame_type {
    F_HELLO = 1, F_EXEC, F_CANCEL, F_OUTPUT, F_STEP_END, F_LATE_OUTPUT, F_AGENT_EXIT, F_START_FAILED, F_NOTICE,
    F_FATAL, F_CONFIG = 64, F_VERDICT, F_RELEASE, F_SIGNAL, F_BYE
};
enum capability { CAP_CAPTURE = 1, CAP_WAIT_KILLABLE = 2, CAP_PID1 = 4 };
enum lineage_kind { L_ROOT = 1, L_AGENT_SELF, L_AGENT_CHILD, L_NESTED, L_HOUSEKEEPING, L_ORPHAN };
enum fd_kind { FD_CLOSED, FD_PIPE, FD_SOCKET, FD_TTY, FD_FILE, FD_NULL, FD_OTHER };
enum exec_flag { EXEC_VERIFIED = 1, EXEC_AWAITING = 2, EXEC_CAPTURED = 4, EXEC_TRUNCATED = 8 };
enum end_flag { END_MERGED = 1, END_HELD = 2 };
enum verdict_kind { K_AGENT = 1, K_SHIM, K_STEP, K_HOUSEKEEPING, K_NESTED };

enum phase { RUNNING, DRAINING, WAITING_FOR_BYE };

/* Something in the epoll set; `arg` is the file's own. */
struct watch {
    int fd;
    void (*ready)(struct watch *, uint32_t events);
    void *arg;
    uint32_t events; /* as the kernel has them */
};

struct config {
    bool nested_local, capture;
    uint32_t verdict_ms, release_ms, head_cap, tail_cap;
    char **agent_names; /* NULL at the end */
};

struct guard {
    int epoll, listener;
    pid_t self, root;
    bool pid1;
    uint32_t capabilities;
    struct config config;
    enum phase phase;
    int64_t phase_deadline;
    int exit_code;
    int64_t next_wake;
    char mount_ns[64];
};
extern struct guard g;

struct k_notif;
struct k_statx;

/* A byte buffer for frames. */
struct bytes {
    uint8_t *data;
    size_t len, cap;
};

/* What /proc/PID/stat says. */
struct pstat {
    pid_t pid, ppid, pgid, sid;
    int threads;
    uint64_t start;
};

enum proc_class { C_UNKNOWN, C_AGENT, C_SHIM, C_STEP, C_HOUSEKEEPING };

/* A process whose place is known. Nobody tells when it dies, so `start` guards against reuse of the pid. */
struct proc {
    struct proc *next;
    pid_t pid;
    uint64_t start, exec;
    enum proc_class class;
    uint32_t step;
    bool leads_step, captured;
    uint8_t kinds[3];
};

struct lineage {
    enum lineage_kind kind;
    uint32_t step;
    uint64_t parent_exec;
    pid_t top; /* orphans: the topmost ancestor below PID 1 */
};

enum trace_state {
    T_EXECING,      /* attached, its exec goes on; no stop seen yet */
    T_VERDICT,      /* at its exec stop, waits for the supervisor */
    T_PREEXEC,      /* someone else traces it: its notification is held until the verdict */
    T_STEP,         /* a step's process, attached until its exit */
    T_EXITING,      /* a step's leader at its exit stop, other threads still there */
    T_END_HELD,     /* a step at its exit stop, waits for RELEASE */
    T_REFUSED,      /* runs the refusal stub; attached so that its output is relayed before its exit shows */
    T_REFUSED_BARE, /* memory not writable: its first syscall becomes exit_group(126) */
    T_LEAVING,      /* interrupted, to be detached at its next stop */
};

struct tracee {
    struct tracee *next;
    pid_t tid, tgid, ppid;
    uint64_t start, exec, notification;
    enum trace_state state;
    int64_t verdict_by;
    struct lineage lineage;
    bool hold_end;
    uint32_t step;
    int status, checks;
    int64_t deadline;
    char *path, *argv; /* as the caller gave them; argv NUL-separated, may be NULL */
    size_t argv_len;
};

struct verdict {
    bool allow, hold_end;
    uint8_t kind;
    uint32_t step;
    const char *message;
    size_t message_len;
};

/* main.c */
int64_t now_ms(void);
void wake_at(int64_t deadline);
int watch_add(struct watch *w, uint32_t events);
void watch_change(struct watch *w, uint32_t events);
void watch_remove(struct watch *w);
void *xrealloc(void *old, size_t size);
void root_ended(int status);
_Noreturn void give_up(const char *why);

/* bytes.c: writing and reading payloads */
void put(struct bytes *b, const void *data, size_t len);
void put_u8(struct bytes *b, uint8_t v);
void put_u32(struct bytes *b, uint32_t v);
void put_u64(struct bytes *b, uint64_t v);
void put_str(struct bytes *b, const char *s, size_t len);

/* channel.c */
void channel_connect(const char *path);
void channel_hello(const char *nonce);
void channel_await_config(void);
void channel_send(uint8_t type, uint64_t id, const struct bytes *payload);
void channel_send_later(uint8_t type, uint64_t id, const struct bytes *payload);
void channel_flush(void);
void channel_flush_soon(void);
void channel_run_timers(int64_t now);
void channel_last_words(void);
__attribute__((format(printf, 1, 2))) void notice(const char *format, ...);

/* commands.c: what the supervisor says */
bool command_handle(uint8_t type, uint64_t id, const uint8_t *payload, size_t len);
bool command_config(const uint8_t *payload, size_t len);

/* filter.c */
int filter_install(bool *wait_killable);

/* start.c */
void start_root(char **argv);
void start_go(void);
bool start_failed(void);

/* door.c, passage.c: ways out through loopback, relayed by a thread of their own */
bool door_add(const char *text);
void doors_open(void);

/* seed.c */
void seed_home(const char *folder);

/* signals.c */
void signals_block(void);
void signals_watch(void);
void signal_everything(int sig);
void kill_everything(void);

/* procfs.c */
bool read_pstat(pid_t pid, struct pstat *out);
pid_t read_tgid(pid_t tid);
pid_t read_tracer(pid_t pid);
size_t read_link(pid_t pid, const char *name, char *out, size_t cap);
bool same_view(pid_t tid);
int open_proc(pid_t pid, const char *name, int flags);
size_t read_cmdline(pid_t pid, char *out, size_t cap, uint64_t *total);
bool stat_fd(pid_t pid, int fd, struct k_statx *out);
enum fd_kind fd_kind_of(const struct k_statx *st);
void read_fd_kinds(pid_t pid, uint8_t kinds[3]);

/* memory.c: what the caller of execve handed over, what its new image was given */
bool read_exec_path(pid_t tid, uint64_t addr, char *out, size_t cap);
char *read_exec_argv(pid_t tid, uint64_t addr, size_t *len);
size_t read_new_argv(pid_t pid, char *out, size_t cap, uint64_t *total);

/* procs.c */
struct proc *proc_find(pid_t pid, uint64_t start);
struct proc *proc_put(pid_t pid, uint64_t start);
void procs_adopt_children(pid_t pid, uint64_t start);
void find_lineage(const struct pstat *me, struct lineage *out);

/* notify.c */
void notify_watch(void);
void notify_pause(bool pause);
void notify_run_timers(void);
void notify_answer(uint64_t id, int error);
void notify_continue(uint64_t id);
bool notify_valid(uint64_t id);

/* trace.c */
struct tracee *tracee_find(pid_t tid);
struct tracee *tracee_by_exec(uint64_t exec);
struct tracee *tracee_by_step(uint32_t step);
struct tracee *tracee_add(pid_t tid);
void tracee_drop(struct tracee *t);
bool exec_in_flight(pid_t tgid, pid_t but);
void trace_wait(void);
void trace_run_timers(int64_t now);
void trace_detach(struct tracee *t, int sig);
void trace_kill_all(void);
long k_ptrace(long request, pid_t tid, uintptr_t addr, uintptr_t data);

/* verdict.c */
void exec_report(struct tracee *t);
void verdict_apply(struct tracee *t, const struct verdict *v);
void verdict_timed_out(struct tracee *t);

/* ending.c: ends of steps */
void step_exit_stop(struct tracee *t);
void step_release(struct tracee *t, const char *text, size_t len);
void step_died(struct tracee *t, int status);
void step_report_end(uint32_t step, pid_t pid, uint64_t start, int status, bool held);

/* untraced.c: steps that someone else traces */
void untraced_watch(pid_t pid, uint64_t start, uint32_t step);

/* refuse.c */
void say_on_fd(pid_t pid, int fd, const char *text, size_t len);
bool refuse_inject(pid_t tid, const char *message, size_t len);
bool refuse_at_syscall(pid_t tid);
uint64_t read_stack_pointer(pid_t tid);

/* capture.c */
bool capture_probe(pid_t pid);
void capture_swap(const struct k_notif *n, struct proc *p, pid_t ppid);

/* relay.c */
struct stream;
struct record;
struct stream *stream_new(int in, int out, enum fd_kind kind, uint64_t ino, pid_t pid, uint64_t start,
                          uint8_t number);
void streams_record(pid_t pid, uint64_t start, uint32_t step, bool hold);
void streams_forget(pid_t pid, uint64_t start);
void streams_drain(pid_t pid, uint64_t start);
bool streams_append(pid_t pid, uint64_t start, const char *text, size_t len);
struct record *stream_record(struct stream *s);
struct stream *stream_of(pid_t pid, uint64_t start, uint8_t number);
void stream_set_merged(struct stream *s);
bool stream_merged(const struct stream *s);
uint32_t step_of_pipe(uint64_t ino);
void streams_end_step(uint32_t step, bool final);
bool streams_pending(void);
void streams_report_late(void);
void streams_sweep(void);

#endif
