#define _GNU_SOURCE
#include "cspool.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int cspool_open_beneath(int folder, const char *path, uint64_t flags) {
    struct open_how how;
    memset(&how, 0, sizeof how);
    how.flags = flags | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
    long descriptor;
    do {
        descriptor = syscall(SYS_openat2, folder, path, &how, sizeof how);
        // EAGAIN: a rename elsewhere raced with the look-up, which the man page asks to repeat.
    } while (descriptor < 0 && errno == EAGAIN);
    return (int)descriptor;
}

int cspool_rename_exclusive(int old_folder, const char *old_name, int new_folder, const char *new_name) {
    return renameat2(old_folder, old_name, new_folder, new_name, RENAME_NOREPLACE);
}

int cspool_birth(int folder, const char *name, int64_t *nanoseconds) {
    struct statx status;
    if (statx(folder, name, AT_SYMLINK_NOFOLLOW, STATX_BTIME, &status) != 0) {
        return -1;
    }
    if (!(status.stx_mask & STATX_BTIME)) {
        errno = ENODATA;
        return -1;
    }
    *nanoseconds = status.stx_btime.tv_sec * INT64_C(1000000000) + status.stx_btime.tv_nsec;
    return 0;
}

int cspool_identity(int folder, struct cspool_identity *identity) {
    struct statx status;
    if (statx(folder, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &status) != 0) {
        return -1;
    }
    identity->device = (uint64_t)status.stx_dev_major << 32 | status.stx_dev_minor;
    identity->inode = status.stx_ino;
    identity->birth = status.stx_mask & STATX_BTIME
        ? status.stx_btime.tv_sec * INT64_C(1000000000) + status.stx_btime.tv_nsec
        : 0;
    identity->is_mounted = (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
    return 0;
}
