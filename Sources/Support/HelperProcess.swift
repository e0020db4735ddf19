internal import CProcess
internal import Glibc

/// Starts programs that are to reach as little of this process as possible: what they are given, and its standard error.
/// SIGHUP, SIGINT, SIGQUIT and SIGTERM are blocked in them.
public enum HelperProcess {
    /// All that a helper finds in its environment, as `NAME=value`. Nothing of this process's, which may hold the database's
    /// password, but the way to the libraries that this program was started with.
    ///
    /// A crash is not talked about at length, and OpenBLAS, which no helper uses, starts no threads when it is loaded.
    public static let environment: [String] =
        ["SWIFT_BACKTRACE=enable=no", "OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1"]
        + (getenv("LD_LIBRARY_PATH").map { ["LD_LIBRARY_PATH=\(String(cString: $0))"] } ?? [])

    /// Starts `program` with posix_spawn(3) and returns its number; the caller waits for it. Throws `SystemError`.
    ///
    /// - Parameters:
    ///   - arguments: those behind the program's name.
    ///   - environment: all of it, as `NAME=value`; another one is for tests.
    ///   - descriptors: the numbers under which the helper finds descriptors of this process, which stay open here.
    ///     Standard input and output that are not among them are /dev/null.
    public static func start(
        _ program: String, arguments: [String], environment: [String] = HelperProcess.environment,
        descriptors: [Int32: Int32]
    ) throws(SystemError) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for number in [STDIN_FILENO, STDOUT_FILENO] where descriptors[number] == nil {
            posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
        }
        let last = max(descriptors.keys.max() ?? 0, STDERR_FILENO)
        // One that is not open is no error.
        for number in STDERR_FILENO + 1..<last + 1 where descriptors[number] == nil {
            posix_spawn_file_actions_addclose(&actions, number)
        }
        // Above the numbers that are targets, so that no dup2 closes another's source nor leaves close-on-exec.
        var sources: [Int32] = []
        defer { for source in sources { close(source) } }
        for (number, descriptor) in descriptors {
            let source = fcntl(descriptor, F_DUPFD_CLOEXEC, last + 1)
            if source < 0 { throw SystemError("fcntl", on: "a descriptor for \(program)") }
            sources.append(source)
            posix_spawn_file_actions_adddup2(&actions, source, number)
        }
        // A request to stop, from a terminal to all of its processes, is for this one, which ends its helpers. Blocked from
        // the first moment on, before a helper could ignore it.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var blocked = sigset_t()
        sigemptyset(&blocked)
        for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] { sigaddset(&blocked, signal) }
        posix_spawnattr_setsigmask(&attributes, &blocked)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        // Nothing else of this process's: a pipe that a helper held open would not end with us.
        _ = cprocess_close_from(&actions, last + 1)

        var words: [UnsafeMutablePointer<CChar>?] = (["shufflenetd"] + arguments).map { strdup($0) }
        var settings: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) }
        defer { for text in words + settings { free(text) } }
        words.append(nil)
        settings.append(nil)
        var pid: pid_t = 0
        let code = posix_spawn(&pid, program, &actions, &attributes, words, settings)
        if code != 0 { throw SystemError("posix_spawn", on: program, code: code) }
        return pid
    }

    /// For a helper to call first: from now on SIGKILL ends it with the thread that started it. One that hangs would never
    /// notice that its socket or pipe has closed.
    ///
    /// The kernel looks at that thread, not at its process: whoever starts a helper must not end the thread before it.
    public static func endWithStarter() {
        _ = cprocess_set_parent_death_signal(SIGKILL)
    }
}
