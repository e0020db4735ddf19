// What Swift cannot call by itself: memfd_create(2) is hidden behind _GNU_SOURCE, openat2(2) has no wrapper, and
// setitimer's first parameter has another type in each C library.
#pragma once
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

/// Anonymous memory with a descriptor, closed on exec; -1 and errno on failure. memfd_create(2)
static inline int cisolation_memory(const char *name) { return (int)syscall(SYS_memfd_create, name, 1u); }

/// open(2) for reading, close-on-exec, that follows no symbolic link in any part of the path: ELOOP. openat2(2)
static inline int cisolation_open_unlinked(const char *path, int flags) {
    struct open_how how = {0};
    how.flags = (unsigned long long)(flags | O_CLOEXEC);
    how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

/// SIGPROF after this much processor time of the process; 0 takes it back. setitimer(2)
static inline int cisolation_limit_processor_time(double seconds) {
    struct itimerval timer = {{0, 0}, {0, 0}};
    timer.it_value.tv_sec = (time_t)seconds;
    timer.it_value.tv_usec = (suseconds_t)((seconds - (double)(time_t)seconds) * 1e6);
    return setitimer(ITIMER_PROF, &timer, 0);
}
