#define _GNU_SOURCE
#include "carchive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define BLOCK_BYTES (1 << 16)
/* More than any tar fills its last record with. */
#define TAIL_BYTES (64 << 20)

struct carchive_reader {
    struct archive *archive;
    int descriptor, is_open;
    /* NULL when it is not compressed. */
    gzFile gzip;
    unsigned char block[BLOCK_BYTES];
};

carchive_reader *carchive_open(int descriptor) {
    carchive_reader *reader = calloc(1, sizeof *reader);
    if (!reader) return NULL;
    reader->archive = archive_read_new();
    if (!reader->archive) {
        free(reader);
        return NULL;
    }
    archive_read_support_format_tar(reader->archive);
    reader->descriptor = descriptor;
    return reader;
}

void carchive_close(carchive_reader *reader) {
    archive_read_free(reader->archive);
    if (reader->gzip) gzclose_r(reader->gzip);
    free(reader);
}

static int gzip_failure(carchive_reader *reader) {
    int code;
    const char *sentence = gzerror(reader->gzip, &code);
    /* zlib puts the file's name in front: "<fd:3>: ". */
    const char *rest = strstr(sentence, ": ");
    if (rest) sentence = rest + 2;
    archive_set_error(reader->archive, code == Z_ERRNO ? errno : EINVAL, "%s", sentence);
    return -1;
}

static la_ssize_t read_gzip(struct archive *archive, void *client, const void **block) {
    carchive_reader *reader = client;
    (void)archive;
    *block = reader->block;
    int count = gzread(reader->gzip, reader->block, BLOCK_BYTES);
    return count < 0 ? gzip_failure(reader) : count;
}

static int begin(carchive_reader *reader) {
    unsigned char magic[2];
    if (pread(reader->descriptor, magic, 2, 0) == 2 && magic[0] == 0x1F && magic[1] == 0x8B) {
        int own = dup(reader->descriptor);
        reader->gzip = own < 0 ? NULL : gzdopen(own, "rb");
        if (!reader->gzip) {
            if (own >= 0) close(own);
            archive_set_error(reader->archive, errno, "there is no memory to read it");
            return -1;
        }
        return archive_read_open(reader->archive, reader, NULL, read_gzip, NULL);
    }
    archive_read_support_format_zip_seekable(reader->archive);
    return archive_read_open_fd(reader->archive, reader->descriptor, BLOCK_BYTES);
}

/* Behind the mark of a tar's end nothing is read any more, and gzip's checksum lies behind everything. */
static int finish(carchive_reader *reader) {
    if (!reader->gzip) return 0;
    for (size_t total = 0; total < TAIL_BYTES; total += BLOCK_BYTES) {
        int count = gzread(reader->gzip, reader->block, BLOCK_BYTES);
        if (count < 0) return gzip_failure(reader);
        if (count == 0) {
            /* What ends early is told by the error alone. */
            int code;
            gzerror(reader->gzip, &code);
            return code == Z_OK ? 0 : gzip_failure(reader);
        }
    }
    archive_set_error(reader->archive, EINVAL, "more than %d bytes follow its end", TAIL_BYTES);
    return -1;
}

static carchive_sort sort_of(struct archive_entry *entry) {
    if (archive_entry_hardlink(entry)) return CARCHIVE_HARD_LINK;
    switch (archive_entry_filetype(entry)) {
    case AE_IFDIR: return CARCHIVE_FOLDER;
    case AE_IFREG: return CARCHIVE_FILE;
    case AE_IFLNK: return CARCHIVE_SYMBOLIC_LINK;
    case AE_IFIFO: return CARCHIVE_FIFO;
    case AE_IFSOCK: return CARCHIVE_SOCKET;
    case AE_IFBLK: return CARCHIVE_BLOCK_DEVICE;
    case AE_IFCHR: return CARCHIVE_CHARACTER_DEVICE;
    default: return CARCHIVE_OTHER;
    }
}

int carchive_next(carchive_reader *reader, carchive_entry *found) {
    if (!reader->is_open) {
        if (begin(reader) != ARCHIVE_OK) return -1;
        reader->is_open = 1;
    }
    struct archive_entry *entry;
    int result = archive_read_next_header(reader->archive, &entry);
    if (result == ARCHIVE_EOF) return finish(reader);
    if (result < ARCHIVE_WARN) return -1;
    found->path = archive_entry_pathname(entry);
    found->sort = sort_of(entry);
    found->size = archive_entry_size_is_set(entry) ? archive_entry_size(entry) : -1;
    found->is_encrypted = archive_entry_is_encrypted(entry) != 0;
    return 1;
}

int64_t carchive_read(carchive_reader *reader, void *buffer, size_t size) {
    la_ssize_t count = archive_read_data(reader->archive, buffer, size);
    return count < 0 ? -1 : count;
}

int carchive_is_bare_tar(carchive_reader *reader) {
    return !reader->gzip && (archive_format(reader->archive) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_TAR;
}

const char *carchive_error(carchive_reader *reader) {
    const char *sentence = archive_error_string(reader->archive);
    return sentence ? sentence : "it cannot be read";
}

int carchive_create_file(int folder, const char *name) {
    return openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0660);
}

int carchive_flush(int descriptor) { return syncfs(descriptor); }
