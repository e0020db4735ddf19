#define _GNU_SOURCE
#include "cisolation.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's interface is written out, since headers that know all of it are newer than Debian 12. It never changes, it
   grows: an older kernel takes a longer struct as long as what it does not know is 0. */
struct ruleset {
    /* What is refused unless a rule allows it. */
    uint64_t files, tcp, scopes;
};

struct folder_rule {
    uint64_t allowed;
    int32_t folder;
} __attribute__((packed));

#define RULE_FOLDER 1
#define ASK_VERSION 1u

#define WRITE_FILE (1ull << 1)
#define READ_FILE (1ull << 2)
#define READ_FOLDER (1ull << 3)
#define MAKE_FOLDER (1ull << 7)
#define MAKE_FILE (1ull << 8)
/* Running, reading, writing, removing, making of any kind. */
#define FILES_1 ((1ull << 13) - 1)
/* Moving to another folder. */
#define FILES_2 (1ull << 13)
/* Cutting off. */
#define FILES_3 (1ull << 14)
/* ioctl(2) on devices. */
#define FILES_5 (1ull << 15)
/* Taking a port, connecting to one. */
#define TCP_4 3ull
/* Abstract unix sockets and signals, of and to processes that are not confined likewise. */
#define SCOPES_6 3ull

int cisolation_landlock_version(void) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);
    return version < 0 ? 0 : (int)version;
}

static int confine(uint64_t free, const struct folder_rule *rule) {
    int version = cisolation_landlock_version();
    struct ruleset all = {.files = FILES_1};
    if (version >= 2) all.files |= FILES_2;
    if (version >= 3) all.files |= FILES_3;
    if (version >= 4) all.tcp = TCP_4;
    if (version >= 5) all.files |= FILES_5;
    if (version >= 6) all.scopes = SCOPES_6;
    all.files &= ~free;
    int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
    if (rules < 0) return -1;
    int result = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (result == 0 && rule) result = (int)syscall(SYS_landlock_add_rule, rules, RULE_FOLDER, rule, 0);
    if (result == 0) result = (int)syscall(SYS_landlock_restrict_self, rules, 0);
    close(rules);
    return result;
}

int cisolation_confine_to_reading(void) { return confine(READ_FILE | READ_FOLDER, NULL); }

int cisolation_confine_to_folder(int folder) {
    struct folder_rule own = {.allowed = WRITE_FILE | READ_FOLDER | MAKE_FOLDER | MAKE_FILE, .folder = folder};
    return confine(0, &own);
}
