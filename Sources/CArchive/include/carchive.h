#pragma once
#include <stddef.h>
#include <stdint.h>

// libarchive on one open file, as narrow as it is needed: archive.h brings <sys/stat.h> along, which Swift would then take
// for a part of it. And syncfs(2), which hides behind _GNU_SOURCE.

typedef struct carchive_reader carchive_reader;

typedef enum {
    CARCHIVE_FOLDER,
    CARCHIVE_FILE,
    CARCHIVE_SYMBOLIC_LINK,
    CARCHIVE_HARD_LINK,
    CARCHIVE_FIFO,
    CARCHIVE_SOCKET,
    CARCHIVE_BLOCK_DEVICE,
    CARCHIVE_CHARACTER_DEVICE,
    CARCHIVE_OTHER
} carchive_sort;

typedef struct {
    /// NULL when the archive gives none that can be used. Lives until the next call.
    const char *path;
    carchive_sort sort;
    /// As the archive claims; -1 when it does not.
    int64_t size;
    int is_encrypted;
} carchive_entry;

/// Reads zip by its directory at the end, tar, and tar in gzip; nothing else is tried. The descriptor stays the caller's.
/// NULL without memory; whether it is an archive shows at the first entry.
///
/// gzip is unpacked by zlib, since libarchive's own filter passes over the checksum at the end unread (a TODO in
/// archive_read_support_filter_gzip.c).
carchive_reader *carchive_open(int descriptor);
void carchive_close(carchive_reader *reader);

/// 1 with an entry, 0 behind the last one, -1 for damage (see `carchive_error`).
int carchive_next(carchive_reader *reader, carchive_entry *entry);

/// The next bytes of the entry's data with gaps filled by zeros; 0 at its end, -1 for damage.
int64_t carchive_read(carchive_reader *reader, void *buffer, size_t size);

/// Whether what was read is a tar without compression.
int carchive_is_bare_tar(carchive_reader *reader);

/// What libarchive says is wrong.
const char *carchive_error(carchive_reader *reader);

/// A new file in `folder` for writing, close-on-exec: EEXIST whatever has the name, a link too. openat(2)
int carchive_create_file(int folder, const char *name);

/// Writes the file system of `descriptor` out. syncfs(2)
int carchive_flush(int descriptor);
