#pragma once
#include <stdint.h>

// Three Linux calls that Swift's Glibc overlay does not carry: openat2(2) has no wrapper in Debian's glibc, and
// renameat2(2) and statx(2) hide behind _GNU_SOURCE. All return -1 and set errno like any other call.

/// openat2(2) for reading, close-on-exec, with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
/// RESOLVE_NO_XDEV: nothing outside `folder`, no link, no mount. `flags` are those of open(2).
int cspool_open_beneath(int folder, const char *path, uint64_t flags);

/// renameat2(2) with RENAME_NOREPLACE: EEXIST when the new name is taken.
int cspool_rename_exclusive(int old_folder, const char *old_name, int new_folder, const char *new_name);

/// statx(2) without following links: when the thing was made, in nanoseconds since 1970. ENODATA where the file
/// system does not know.
int cspool_birth(int folder, const char *name, int64_t *nanoseconds);

/// Tells a folder from any other that ever was: birth is 0 where the file system does not tell. `is_mounted`: whether a file
/// system, or a part of one (a bind mount), is mounted on it; 0 before Linux 5.8. statx(2); 0, or -1 with errno.
struct cspool_identity {
    uint64_t device;
    uint64_t inode;
    int64_t birth;
    int is_mounted;
};
int cspool_identity(int folder, struct cspool_identity *identity);
