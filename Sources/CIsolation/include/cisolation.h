#pragma once

// Helper processes: what Swift cannot call by itself for them (memfd_create(2) hides behind _GNU_SOURCE, openat2(2) has no
// wrapper, setitimer's first parameter has another type in each C library), and what they shut themselves in with.

/// Anonymous memory with a descriptor, closed on exec; -1 and errno on failure. memfd_create(2)
int cisolation_memory(const char *name);

/// open(2) for reading, close-on-exec, that follows no symbolic link in any part of the path: ELOOP. openat2(2)
int cisolation_open_unlinked(const char *path, int flags);

/// SIGPROF after this much processor time of the process; 0 takes it back. setitimer(2)
int cisolation_limit_processor_time(double seconds);

// Each of the three below holds for the thread that calls it and those it starts, so that a process calls them while it has
// one thread; none can be taken back. They do not need each other. 0, or -1 and errno where the kernel does not have it.

/// From now on this process can read whatever it could, but write, make, remove and run no file; and where the kernel knows
/// how, use no TCP port and no abstract socket, nor send a signal out: landlock(7), Linux 5.13.
int cisolation_confine_to_reading(void);

/// From now on this process can open nothing but what lies in `folder`, whatever becomes of it: to list folders and to make
/// and write files and folders. The rest as above.
int cisolation_confine_to_folder(int folder);

/// From now on EPERM is the answer to all calls that reach beyond this process without opening a file: sockets, other
/// processes and programs, modes and owners of files. seccomp(2)
int cisolation_refuse_calls(void);

/// The version of landlock that this process can use; 0 where there is none.
int cisolation_landlock_version(void);

/// Whether this process could refuse calls.
int cisolation_can_refuse_calls(void);

/// For tests: tries what a process confined to reading that refuses calls cannot do, on `file` and beside it, and tells what
/// was not refused, separated by commas: "files: ..." of the one, "calls: ..." of the other, and "threads: ..." when there are
/// several, of which some may not be confined. The text lives until the next call. The file is gone if that was possible.
const char *cisolation_probe(const char *file);
