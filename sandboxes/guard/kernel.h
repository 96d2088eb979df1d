/* Kernel interfaces, defined here because distribution headers are older than kernels and musl-gcc has none. */
#ifndef MICROLOOP_KERNEL_H
#define MICROLOOP_KERNEL_H

#include <stdint.h>

/* seccomp(2) */
#define K_SECCOMP_SET_MODE_FILTER 1
#define K_SECCOMP_FLAG_NEW_LISTENER (1UL << 3)
#define K_SECCOMP_FLAG_WAIT_KILLABLE (1UL << 5)
#define K_SECCOMP_RET_KILL_PROCESS 0x80000000u
#define K_SECCOMP_RET_USER_NOTIF 0x7fc00000u
#define K_SECCOMP_RET_ERRNO 0x00050000u
#define K_SECCOMP_RET_ALLOW 0x7fff0000u
#define K_NOTIF_FLAG_CONTINUE 1u
#define K_ADDFD_FLAG_SETFD 1u

struct k_seccomp_data {
    int32_t nr;
    uint32_t arch;
    uint64_t instruction_pointer;
    uint64_t args[6];
};

struct k_notif {
    uint64_t id;
    uint32_t pid;
    uint32_t flags;
    struct k_seccomp_data data;
};

struct k_notif_resp {
    uint64_t id;
    int64_t val;
    int32_t error;
    uint32_t flags;
};

struct k_notif_addfd {
    uint64_t id;
    uint32_t flags;
    uint32_t srcfd;
    uint32_t newfd;
    uint32_t newfd_flags;
};

struct k_bpf {
    uint16_t code;
    uint8_t jt, jf;
    uint32_t k;
};

struct k_bpf_program {
    uint16_t len;
    struct k_bpf *filter;
};

#define K_BPF_LOAD 0x20  /* BPF_LD | BPF_W | BPF_ABS */
#define K_BPF_JEQ 0x15   /* BPF_JMP | BPF_JEQ | BPF_K */
#define K_BPF_JGE 0x35   /* BPF_JMP | BPF_JGE | BPF_K */
#define K_BPF_RETURN 0x06

#define K_IOW_SIZE(size) ((uint32_t)(size) << 16)
#define K_NOTIF_RECV (0xc0000000u | K_IOW_SIZE(sizeof(struct k_notif)) | ('!' << 8) | 0)
#define K_NOTIF_SEND (0xc0000000u | K_IOW_SIZE(sizeof(struct k_notif_resp)) | ('!' << 8) | 1)
#define K_NOTIF_ID_VALID (0x40000000u | K_IOW_SIZE(8) | ('!' << 8) | 2)
#define K_NOTIF_ADDFD (0x40000000u | K_IOW_SIZE(sizeof(struct k_notif_addfd)) | ('!' << 8) | 3)

#if defined(__x86_64__)
#define K_AUDIT_ARCH 0xc000003eu
#define K_NR_SECCOMP 317
#define K_NR_KCMP 312
#define K_NR_STATX 332
#define K_NR_PWRITEV2 328
#define K_NR_EXECVEAT 322
#define K_X32_BIT 0x40000000u
#elif defined(__aarch64__)
#define K_AUDIT_ARCH 0xc00000b7u
#define K_NR_SECCOMP 277
#define K_NR_KCMP 272
#define K_NR_STATX 291
#define K_NR_PWRITEV2 287
#define K_NR_EXECVEAT 281
#else
#error "the guard knows x86-64 and aarch64 only"
#endif
#define K_NR_PIDFD_OPEN 434
#define K_NR_PIDFD_GETFD 438

/* ptrace(2) */
#define K_PTRACE_CONT 7
#define K_PTRACE_DETACH 17
#define K_PTRACE_SYSCALL 24
#define K_PTRACE_SETOPTIONS 0x4200
#define K_PTRACE_GETEVENTMSG 0x4201
#define K_PTRACE_GETREGSET 0x4204
#define K_PTRACE_SETREGSET 0x4205
#define K_PTRACE_SEIZE 0x4206
#define K_PTRACE_INTERRUPT 0x4207
#define K_PTRACE_LISTEN 0x4208
#define K_PTRACE_GETSIGMASK 0x420a
#define K_PTRACE_SETSIGMASK 0x420b
#define K_PTRACE_O_TRACESYSGOOD 0x01
#define K_PTRACE_O_TRACEEXEC 0x10
#define K_PTRACE_O_TRACEEXIT 0x40
#define K_PTRACE_O_EXITKILL 0x100000
/* What the guard asks for on the process of a step. */
#define STEP_OPTIONS (K_PTRACE_O_TRACEEXEC | K_PTRACE_O_TRACEEXIT | K_PTRACE_O_EXITKILL)
#define K_PTRACE_EVENT_EXEC 4
#define K_PTRACE_EVENT_EXIT 6
#define K_PTRACE_EVENT_STOP 128
#define K_NT_PRSTATUS 1
#define K_NT_ARM_SYSTEM_CALL 0x404

/* statx(2): asked not to go to the server, so a hostile FUSE cannot hold the guard. */
#define K_AT_STATX_DONT_SYNC 0x4000
#define K_STATX_BASIC 0x7ffu

struct k_statx {
    uint32_t mask, blksize;
    uint64_t attributes;
    uint32_t nlink, uid, gid;
    uint16_t mode, pad;
    uint64_t ino, size, blocks, attributes_mask;
    uint64_t times[8];
    uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
    uint64_t spare[14];
};

#define K_KCMP_FILE 0
#define K_KCMP_FILES 2
#define K_RWF_NOWAIT 8
#define K_F_SETPIPE_SZ 1031
#define K_F_GETPIPE_SZ 1032

/* PIDFD_GET_INFO, kernel 6.15: the exit status of a process that is not ours, once it has been reaped. */
#define K_PIDFD_INFO_EXIT (1UL << 3)
#define K_PIDFD_GET_INFO (0xc0000000u | K_IOW_SIZE(sizeof(struct k_pidfd_info)) | (0xff << 8) | 11)

struct k_pidfd_info {
    uint64_t mask, cgroupid;
    uint32_t pid, tgid, ppid, ids[8];
    int32_t exit_code;
};

#endif
