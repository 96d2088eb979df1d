/* A refusal is carried out by the refused process itself: a few instructions written over the entry of its new
   image say the message and exit with 126. So a full pipe holds that process, and never the guard. */
#define _GNU_SOURCE
#include "kernel.h"

#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <unistd.h>

#define EXIT_REFUSED 126

typedef struct user_regs_struct registers;

static bool get_registers(pid_t tid, registers *r)
{
    struct iovec v = {r, sizeof *r};
    return k_ptrace(K_PTRACE_GETREGSET, tid, K_NT_PRSTATUS, (uintptr_t)&v) == 0 &&
           v.iov_len == sizeof *r; /* less: a 32-bit image */
}

#if defined(__x86_64__)

static uint64_t entry_of(const registers *r)
{
    return r->rip;
}

static uint64_t stack_of(const registers *r)
{
    return r->rsp;
}

static size_t make_stub(uint8_t *code, uint64_t message, uint32_t len)
{
    static const uint8_t stub[] = {
        0x48, 0xbe, 0, 0, 0, 0, 0, 0, 0, 0,   /*  0 mov  rsi, message */
        0xba, 0, 0, 0, 0,                     /* 10 mov  edx, len */
        0xbf, 2, 0, 0, 0,                     /* 15 mov  edi, 2 */
        0xb8, 1, 0, 0, 0,                     /* 20 mov  eax, write */
        0x0f, 0x05,                           /* 25 syscall */
        0x48, 0x85, 0xc0,                     /* 27 test rax, rax */
        0x79, 12,                             /* 30 jns  44 */
        0xbf, 1, 0, 0, 0,                     /* 32 mov  edi, 1 */
        0xb8, 1, 0, 0, 0,                     /* 37 mov  eax, write */
        0x0f, 0x05,                           /* 42 syscall */
        0xbf, EXIT_REFUSED, 0, 0, 0,          /* 44 mov  edi, 126 */
        0xb8, 231, 0, 0, 0,                   /* 49 mov  eax, exit_group */
        0x0f, 0x05,                           /* 54 syscall */
    };
    memcpy(code, stub, sizeof stub);
    memcpy(code + 2, &message, 8);
    memcpy(code + 11, &len, 4);
    return sizeof stub;
}

static bool set_exit_call(pid_t tid, registers *r)
{
    r->orig_rax = 231;
    r->rdi = EXIT_REFUSED;
    struct iovec v = {r, sizeof *r};
    return k_ptrace(K_PTRACE_SETREGSET, tid, K_NT_PRSTATUS, (uintptr_t)&v) == 0;
}

#else /* aarch64 */

static uint64_t entry_of(const registers *r)
{
    return r->pc;
}

static uint64_t stack_of(const registers *r)
{
    return r->sp;
}

static uint32_t movz(unsigned reg, uint16_t value)
{
    return 0xd2800000u | (uint32_t)value << 5 | reg;
}

static uint32_t movk(unsigned reg, unsigned part, uint16_t value)
{
    return 0xf2800000u | part << 21 | (uint32_t)value << 5 | reg;
}

static size_t make_stub(uint8_t *code, uint64_t message, uint32_t len)
{
    const uint32_t svc = 0xd4000001u, skip_unless_negative = 0xb6f80000u /* tbz x0, #63 */ | 3u << 5;
    const uint32_t stub[] = {
        movz(1, (uint16_t)message),
        movk(1, 1, (uint16_t)(message >> 16)),
        movk(1, 2, (uint16_t)(message >> 32)),
        movk(1, 3, (uint16_t)(message >> 48)),
        movz(2, (uint16_t)len),
        movk(2, 1, (uint16_t)(len >> 16)),
        movz(0, 2),
        movz(8, 64), /* write */
        svc,
        skip_unless_negative,
        movz(0, 1),
        svc,
        movz(0, EXIT_REFUSED),
        movz(8, 94), /* exit_group */
        svc,
    };
    memcpy(code, stub, sizeof stub);
    return sizeof stub;
}

static bool set_exit_call(pid_t tid, registers *r)
{
    int nr = 94;
    struct iovec v = {r, sizeof *r}, call = {&nr, sizeof nr};
    r->regs[0] = EXIT_REFUSED;
    return k_ptrace(K_PTRACE_SETREGSET, tid, K_NT_PRSTATUS, (uintptr_t)&v) == 0 &&
           k_ptrace(K_PTRACE_SETREGSET, tid, K_NT_ARM_SYSTEM_CALL, (uintptr_t)&call) == 0;
}

#endif

/* Of a stopped thread; 0 when it cannot be told. */
uint64_t read_stack_pointer(pid_t tid)
{
    registers r;
    return get_registers(tid, &r) ? stack_of(&r) : 0;
}

/* A closed stderr must not turn the 126 into a SIGPIPE. */
static void block_sigpipe(pid_t tid)
{
    uint64_t mask = 0;
    k_ptrace(K_PTRACE_GETSIGMASK, tid, sizeof mask, (uintptr_t)&mask);
    mask |= 1ull << (SIGPIPE - 1);
    k_ptrace(K_PTRACE_SETSIGMASK, tid, sizeof mask, (uintptr_t)&mask);
}

/* At the exec stop; the stub runs when the process goes on. False when its memory cannot be written. */
bool refuse_inject(pid_t tid, const char *message, size_t len)
{
    registers r;
    uint8_t code[128];
    int mem = open_proc(tid, "mem", O_RDWR);
    if (mem < 0)
        return false;
    bool ok = get_registers(tid, &r);
    if (ok) {
        /* The kernel maps 128 KiB below the first stack pointer; a red zone is left. */
        uint64_t at = (stack_of(&r) - 512 - len) & ~(uint64_t)15;
        size_t size = make_stub(code, at, (uint32_t)len);
        ok = (len == 0 || pwrite(mem, message, len, (off_t)at) == (ssize_t)len) &&
             pwrite(mem, code, size, (off_t)entry_of(&r)) == (ssize_t)size;
    }
    close(mem);
    if (ok)
        block_sigpipe(tid);
    return ok;
}

/* At the entry of its first syscall, whatever that was: needs no memory. */
bool refuse_at_syscall(pid_t tid)
{
    registers r;
    return get_registers(tid, &r) && set_exit_call(tid, &r);
}

/* Best effort, without waiting: for a process that cannot say it itself. */
void say_on_fd(pid_t pid, int fd, const char *text, size_t len)
{
    int pidfd = (int)syscall(K_NR_PIDFD_OPEN, pid, 0);
    int copy = pidfd < 0 ? -1 : (int)syscall(K_NR_PIDFD_GETFD, pidfd, fd, 0);
    struct pollfd p = {copy, POLLOUT, 0};
    if (copy >= 0 && poll(&p, 1, 0) == 1 && (p.revents & POLLOUT))
        if (write(copy, text, len < 4096 ? len : 4096) < 0)
            errno = 0;
    if (copy >= 0)
        close(copy);
    if (pidfd >= 0)
        close(pidfd);
}
