// What Swift cannot call: prctl(2) is variadic, the kernel's waitid(2) takes a fifth argument that glibc hides, and
// pipe2(2) and posix_spawn's closefrom are declared only under _GNU_SOURCE.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/// Asks the kernel to send this process `signal` when the thread that started it ends. 0, or -1 with errno.
static inline int cprocess_set_parent_death_signal(int signal) {
    return prctl(PR_SET_PDEATHSIG, (unsigned long)signal, 0UL, 0UL, 0UL);
}

/// Reads what an ended, not yet reaped child used, and leaves it to be reaped. 0, or -1 with errno.
static inline int cprocess_peek_usage(pid_t pid, struct rusage *usage) {
    siginfo_t info;
    return (int)syscall(SYS_waitid, P_PID, pid, &info, WEXITED | WNOWAIT, usage);
}

/// A pipe with both ends closed on exec. 0, or -1 with errno.
static inline int cprocess_pipe(int ends[2]) {
    return (int)syscall(SYS_pipe2, ends, O_CLOEXEC);
}

extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);

/// Has the child close every descriptor from this one on. posix_spawn_file_actions_addclosefrom_np(3), glibc 2.34
static inline int cprocess_close_from(posix_spawn_file_actions_t *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}
