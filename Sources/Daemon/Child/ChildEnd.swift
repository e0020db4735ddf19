public import Runs

/// How a child process ended, and what it used.
public struct ChildEnd: Sendable, Equatable {
    public enum Exit: Sendable, Equatable {
        case exited(Int32)
        case signalled(Int32)
    }

    public var exit: Exit
    /// The result it announced, if it did.
    public var result: RunResult?
    /// The failure it announced, if it did.
    public var failure: RunFailure?
    /// Lines on its standard output that were no events.
    public var garbageLines: Int
    /// User and system time of the child and of what it waited for.
    public var cpuTime: Duration
    /// The largest resident set, in bytes.
    public var peakMemoryBytes: Int64
    /// It was killed for the memory it took: a sentence that says by whom.
    public var memoryExcess: String?

    public init(
        exit: Exit, result: RunResult? = nil, failure: RunFailure? = nil, garbageLines: Int = 0,
        cpuTime: Duration = .zero, peakMemoryBytes: Int64 = 0, memoryExcess: String? = nil
    ) {
        self.exit = exit
        self.result = result
        self.failure = failure
        self.garbageLines = garbageLines
        self.cpuTime = cpuTime
        self.peakMemoryBytes = peakMemoryBytes
        self.memoryExcess = memoryExcess
    }
}

/// What an ended child means for its job, before it is known whether the daemon had asked it to end.
public enum ChildVerdict: Sendable, Equatable {
    case succeeded(RunResult)
    case failed(RunFailure)
    /// It ended early because it was asked to, by whomever.
    case preempted
    /// No word from the child explains its end.
    case crashed(String)
    /// It was killed because of the memory it took.
    case outOfMemory(String)
    /// It failed, or could not be started, while the spool its files lie in was away: no fault of the job's.
    case spoolGone

    /// Exit status and announcement must agree: a child that says it succeeded and then fails has not succeeded, and
    /// exit 0 without a result is a crash, whatever the files look like.
    public init(_ end: ChildEnd) {
        if case .signalled(9) = end.exit, let sentence = end.memoryExcess {
            self = .outOfMemory(sentence)
            return
        }
        switch (end.exit, end.result, end.failure) {
        case (.exited(0), let result?, nil):
            self = .succeeded(result)
        case (.exited(0), _, let failure?):
            self = .crashed("the child process exited with status 0 after it had reported: \(failure.message)")
        case (.exited(0), nil, nil):
            self = .crashed("the child process exited with status 0 and no result")
        case (.exited(75), _, _):
            self = .preempted
        case (.exited(65), _, let failure):
            self = .failed(
                failure.map { .badInput($0.message) }
                    ?? .badInput("the child process refused its input (exit status 65)"))
        case (.exited(let status), _, let failure?):
            self = failure.exitStatus == status ? .failed(failure) : .failed(RunFailure(.error, failure.message))
        case (.exited(let status), _, nil):
            self = .crashed("the child process exited with status \(status) and no explanation")
        case (.signalled(let signal), _, _):
            self = .crashed("the child process was ended by signal \(signal) (\(Self.name(of: signal)))")
        }
    }

    private static func name(of signal: Int32) -> String {
        let names: [Int32: String] = [
            1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
            9: "SIGKILL", 11: "SIGSEGV", 13: "SIGPIPE", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ", 31: "SIGSYS",
        ]
        return names[signal] ?? "unnamed"
    }
}
