/* The seccomp filter everything in the sandbox runs under. */
#define _GNU_SOURCE
#include "kernel.h"

#include "guard.h"

#include <errno.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TIOCSTI_NR 0x5412u
#define TIOCLINUX_NR 0x541cu

/* Called in the child that becomes the agent. Returns the listener's fd, or -1 and errno. */
int filter_install(bool *wait_killable)
{
    struct k_bpf code[] = {
        {K_BPF_LOAD, 0, 0, offsetof(struct k_seccomp_data, arch)},
        {K_BPF_JEQ, 1, 0, K_AUDIT_ARCH},
        {K_BPF_RETURN, 0, 0, K_SECCOMP_RET_KILL_PROCESS}, /* int80 and other ABIs have other numbers */
        {K_BPF_LOAD, 0, 0, offsetof(struct k_seccomp_data, nr)},
#ifdef K_X32_BIT
        {K_BPF_JGE, 0, 1, K_X32_BIT},
        {K_BPF_RETURN, 0, 0, K_SECCOMP_RET_KILL_PROCESS},
#endif
        {K_BPF_JEQ, 1, 0, SYS_execve},
        {K_BPF_JEQ, 0, 1, K_NR_EXECVEAT},
        {K_BPF_RETURN, 0, 0, K_SECCOMP_RET_USER_NOTIF},
        {K_BPF_JEQ, 0, 4, SYS_ioctl},
        /* Typing into the terminal the supervisor's user sits at; the kernel looks at 32 bits of the request. */
        {K_BPF_LOAD, 0, 0, offsetof(struct k_seccomp_data, args[1])},
        {K_BPF_JEQ, 1, 0, TIOCSTI_NR},
        {K_BPF_JEQ, 0, 1, TIOCLINUX_NR},
        {K_BPF_RETURN, 0, 0, K_SECCOMP_RET_ERRNO | EPERM},
        {K_BPF_RETURN, 0, 0, K_SECCOMP_RET_ALLOW},
    };
    struct k_bpf_program program = {sizeof code / sizeof code[0], code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    *wait_killable = true;
    long fd = syscall(K_NR_SECCOMP, K_SECCOMP_SET_MODE_FILTER,
                      K_SECCOMP_FLAG_NEW_LISTENER | K_SECCOMP_FLAG_WAIT_KILLABLE, &program);
    if (fd < 0 && errno == EINVAL) {
        *wait_killable = false; /* before Linux 5.19 */
        fd = syscall(K_NR_SECCOMP, K_SECCOMP_SET_MODE_FILTER, K_SECCOMP_FLAG_NEW_LISTENER, &program);
    }
    return (int)fd;
}
