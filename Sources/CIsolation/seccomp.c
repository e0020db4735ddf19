#define _GNU_SOURCE
#include "cisolation.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int cisolation_can_refuse_calls(void) {
    /* A kernel that has filters looks for the one that is not there. prctl(2) */
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) != 0 && errno == EFAULT;
}

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef ARCHITECTURE

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
/* The lower half, on machines of little ends: all that the kernel looks at of what is an int. */
#define LOAD_ARGUMENT(number) LOAD(args[number])
/* Goes on so many instructions further down. */
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), yes, no)
#define IF_ANY_BIT(bits, yes, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), yes, no)
#define IF_AT_LEAST(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (value), yes, no)
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define FAIL(code) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (code))
#define REFUSE(call) IF_EQUAL(call, 0, 1), FAIL(EPERM)

/* The youngest call that was looked at for the list below, the same on all machines: set_mempolicy_home_node, Linux 5.17. */
#define YOUNGEST 450

int cisolation_refuse_calls(void) {
    struct sock_filter filter[] = {
        /* Calls of 32 bits have other numbers. */
        LOAD(arch), IF_EQUAL(ARCHITECTURE, 1, 0), FAIL(EPERM),

        LOAD(nr),
        /* Nobody knows what they reach, and a library that tries one can do without. x32's calls have a high bit set. */
        IF_AT_LEAST(YOUNGEST + 1, 0, 1), FAIL(ENOSYS),

        /* Sockets; a new pair could send to any address. io_uring makes and uses them behind a filter's back. */
        REFUSE(SYS_socket), REFUSE(SYS_socketpair), REFUSE(SYS_connect), REFUSE(SYS_bind), REFUSE(SYS_io_uring_setup),

        /* Programs and processes. Threads stay, for a library that wants one. Those who know clone3 go back to clone, whose
           flags can be seen. */
        REFUSE(SYS_execve), REFUSE(SYS_execveat), IF_EQUAL(SYS_clone3, 0, 1), FAIL(ENOSYS),
        IF_EQUAL(SYS_clone, 0, 4), LOAD_ARGUMENT(0), IF_ANY_BIT(CLONE_THREAD, 0, 1), ALLOW, FAIL(EPERM),
        REFUSE(SYS_unshare), REFUSE(SYS_setns),

        /* Other processes of the same user: the daemon, its jobs, its PostgreSQL. abort(3) signals this one. */
        REFUSE(SYS_ptrace), REFUSE(SYS_process_vm_readv), REFUSE(SYS_process_vm_writev), REFUSE(SYS_pidfd_getfd),
        REFUSE(SYS_kill), REFUSE(SYS_tkill), REFUSE(SYS_rt_sigqueueinfo), REFUSE(SYS_rt_tgsigqueueinfo),
        REFUSE(SYS_pidfd_send_signal),
        IF_EQUAL(SYS_tgkill, 0, 4), LOAD_ARGUMENT(0), IF_EQUAL((unsigned)getpid(), 0, 1), ALLOW, FAIL(EPERM),
        /* Their limits. */
        IF_EQUAL(SYS_prlimit64, 0, 4), LOAD_ARGUMENT(0), IF_EQUAL(0, 0, 1), ALLOW, FAIL(EPERM),
        /* A descriptor can be made to signal them when something is to be read. ioctl(2) can do it too, and type into the
           terminal of whoever started the run. */
        IF_EQUAL(SYS_fcntl, 0, 6), LOAD_ARGUMENT(1), IF_EQUAL(F_SETOWN, 3, 0), IF_EQUAL(F_SETSIG, 2, 0),
        IF_EQUAL(F_SETOWN_EX, 1, 0), ALLOW, FAIL(EPERM),
        REFUSE(SYS_ioctl),

        /* What landlock leaves open of files: modes, owners, times, attributes, and, in its first versions, their length. The
           run would die of reading samples that were cut off. */
        REFUSE(SYS_fchmod), REFUSE(SYS_fchmodat), REFUSE(SYS_fchown), REFUSE(SYS_fchownat), REFUSE(SYS_utimensat),
        REFUSE(SYS_setxattr), REFUSE(SYS_lsetxattr), REFUSE(SYS_fsetxattr), REFUSE(SYS_removexattr),
        REFUSE(SYS_lremovexattr), REFUSE(SYS_fremovexattr), REFUSE(SYS_truncate), REFUSE(SYS_ftruncate),

    /* Calls that younger machines never had. */
#ifdef SYS_fork
        REFUSE(SYS_fork), REFUSE(SYS_vfork), REFUSE(SYS_chmod), REFUSE(SYS_chown), REFUSE(SYS_lchown), REFUSE(SYS_utime),
        REFUSE(SYS_utimes), REFUSE(SYS_futimesat),
#endif
        ALLOW,
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

#else

int cisolation_refuse_calls(void) {
    errno = ENOSYS;
    return -1;
}

#endif
