#define _GNU_SOURCE
#include "cisolation.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each attempt returns below 0, with errno, when it failed; else a descriptor or 0. Those that could do harm, or would end
   this process, are made in a way that fails even where they are not refused, but with another errno. */

/* What an attempt may make; nothing is there. */
static char beside[PATH_MAX];

static long write_file(const char *file) { return open(file, O_WRONLY | O_CLOEXEC); }
static long make_file(const char *file) {
    (void)file;
    return open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}
static long make_folder(const char *file) {
    (void)file;
    return mkdir(beside, 0700);
}
static long make_link(const char *file) { return symlink(file, beside); }
static long make_socket_file(const char *file) {
    (void)file;
    return mknod(beside, S_IFSOCK | 0600, 0);
}
static long remove_file(const char *file) { return unlink(file); }

static long open_socket(const char *file) {
    (void)file;
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}
static long open_network_socket(const char *file) {
    (void)file;
    return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}
static long open_pair(const char *file) {
    int ends[2];
    (void)file;
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) != 0) return -1;
    close(ends[1]);
    return ends[0];
}
static long connect_socket(const char *file) {
    (void)file;
    return connect(-1, NULL, 0);
}
static long set_up_ring(const char *file) {
    (void)file;
    return syscall(SYS_io_uring_setup, 0, NULL);
}

static long run_program(const char *file) {
    (void)file;
    return syscall(SYS_execve, NULL, NULL, NULL);
}
static long run_descriptor(const char *file) {
    (void)file;
    return syscall(SYS_execveat, -1, NULL, NULL, NULL, 0);
}
static long wait_for(long child) {
    if (child == 0) _exit(0);
    if (child > 0) waitpid((pid_t)child, NULL, 0);
    return child > 0 ? 0 : child;
}
static long start_process(const char *file) {
    (void)file;
    return wait_for(fork());
}
static long start_process_by_clone(const char *file) {
    (void)file;
    return wait_for(syscall(SYS_clone, (unsigned long)SIGCHLD, NULL, NULL, NULL, NULL));
}

static long signal_parent(const char *file) {
    (void)file;
    return kill(getppid(), 0);
}
static long signal_parents_thread(const char *file) {
    (void)file;
    return syscall(SYS_tgkill, getppid(), getppid(), 0);
}
static long signal_thread(const char *file) {
    (void)file;
    return syscall(SYS_tkill, getppid(), 0);
}
static long signal_descriptor(const char *file) {
    (void)file;
    return syscall(SYS_pidfd_send_signal, -1, 0, NULL, 0);
}
static long signal_by_descriptor(const char *file) {
    (void)file;
    return fcntl(STDIN_FILENO, F_SETOWN, getppid());
}
static long limit_parent(const char *file) {
    (void)file;
    return syscall(SYS_prlimit64, getppid(), 0, NULL, NULL);
}
static long trace_parent(const char *file) {
    (void)file;
    return ptrace(PTRACE_CONT, getppid(), NULL, NULL);
}
static long read_parent(const char *file) {
    (void)file;
    return syscall(SYS_process_vm_readv, getppid(), NULL, 0UL, NULL, 0UL, ~0UL);
}
static long write_parent(const char *file) {
    (void)file;
    return syscall(SYS_process_vm_writev, getppid(), NULL, 0UL, NULL, 0UL, ~0UL);
}

static long change_mode(const char *file) { return chmod(file, 0644); }
static long truncate_file(const char *file) { return truncate(file, 0); }

static const struct {
    const char *name;
    long (*attempt)(const char *file);
} attempts[] = {
    {"files: write a file", write_file},
    {"files: make a file", make_file},
    {"files: make a folder", make_folder},
    {"files: make a link", make_link},
    {"files: make a socket", make_socket_file},
    {"calls: open a socket", open_socket},
    {"calls: open a network socket", open_network_socket},
    {"calls: open a pair of sockets", open_pair},
    {"calls: connect a socket", connect_socket},
    {"calls: set up a ring", set_up_ring},
    {"calls: run a program", run_program},
    {"calls: run a program by descriptor", run_descriptor},
    {"calls: start a process", start_process},
    {"calls: start a process by clone", start_process_by_clone},
    {"calls: signal the parent", signal_parent},
    {"calls: signal the parent's thread", signal_parents_thread},
    {"calls: signal a thread", signal_thread},
    {"calls: signal by a process's descriptor", signal_descriptor},
    {"calls: have the parent signalled", signal_by_descriptor},
    {"calls: limit the parent", limit_parent},
    {"calls: trace the parent", trace_parent},
    {"calls: read the parent's memory", read_parent},
    {"calls: write the parent's memory", write_parent},
    {"calls: change a file's mode", change_mode},
    {"calls: truncate a file", truncate_file},
    {"files: remove a file", remove_file},
};

static int threads(void) {
    DIR *tasks = opendir("/proc/self/task");
    if (!tasks) return 0;
    int count = 0;
    for (struct dirent *entry; (entry = readdir(tasks));) count += entry->d_name[0] != '.';
    closedir(tasks);
    return count;
}

const char *cisolation_probe(const char *file) {
    static char found[4096];
    size_t length = 0;
    found[0] = 0;
    snprintf(beside, sizeof beside, "%s.probe", file);
    int count = threads();
    if (count != 1) length += (size_t)snprintf(found, sizeof found, "threads: %d", count);
    for (size_t index = 0; index < sizeof attempts / sizeof *attempts; index++) {
        errno = 0;
        long result = attempts[index].attempt(file);
        if (result < 0 && (errno == EPERM || errno == EACCES)) continue;
        /* A descriptor. The attempts that make none return 0. */
        if (result > 0) close((int)result);
        remove(beside);
        length += (size_t)snprintf(
            found + length, sizeof found - length, "%s%s", length ? ", " : "", attempts[index].name);
    }
    return found;
}
