import Foundation
import Glibc
public import Logging
public import Runs
import Subprocess
import Support
import SystemPackage

/// Starts a job's child process and follows it to its end.
///
/// The child leads a process group of its own. Its standard input is the specification's line and then stays open (end
/// of file tells it that the daemon is gone); its standard output is events; its standard error goes to a log file.
public struct ChildHost: Sendable {
    /// The program and the arguments before everything else. Default: this very program with `run-job`.
    public var program: String
    public var arguments: [String]
    /// How long a child that closed its standard output may go on, and how long one may take that was asked to stop.
    public var grace: Duration
    private let environment: Environment
    private let logger: Logger

    /// - Parameter environment: the daemon's, of which the child gets what `ChildEnvironment` says. Default: this
    ///   process's.
    public init(
        program: String = "/proc/self/exe", arguments: [String] = ["run-job"], grace: Duration = .seconds(30),
        environment: [String: String]? = nil, logger: Logger
    ) {
        self.program = program
        self.arguments = arguments
        self.grace = grace
        var whole = Environment.inherit
        if let environment {
            whole = .custom(
                Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0), $1) }))
        }
        let names = (environment ?? ProcessInfo.processInfo.environment).keys
        self.environment = whole.updating(ChildEnvironment.changes(to: names))
        self.logger = logger
        // A child that dies before it has read its specification must not take the daemon along.
        signal(SIGPIPE, SIG_IGN)
    }

    /// Why a child could not even be started.
    public enum StartError: Error, Sendable, CustomStringConvertible {
        case stopped
        case notStarted(String)

        public var description: String {
            switch self {
            case .stopped: "the child process was asked to stop before it had started"
            case .notStarted(let reason): "the child process could not be started: \(reason)"
            }
        }
    }

    /// Runs one child to its end; returns after it is reaped and its process group is empty.
    ///
    /// - Parameters:
    ///   - log: the file its standard error is appended to; made with its folder where missing.
    ///   - memoryLimit: resident bytes past which the child is killed.
    ///   - control: stops it from elsewhere.
    ///   - event: called on a thread of the child's, for each event in order. Must not block for long.
    /// - Throws: `StartError`, `SystemError`.
    public func run(
        _ specification: JobSpecification, log: String, memoryLimit: Int64? = nil, control: ChildControl,
        event: @escaping @Sendable (RunEvent) -> Void
    ) async throws -> ChildEnd {
        guard control.mayStart else { throw StartError.stopped }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        let line = Array(try encoder.encode(specification)) + [UInt8(ascii: "\n")]

        let logFile = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        if logFile < 0 { throw SystemError("open", on: log) }
        let input: SpawnPipe
        let output: SpawnPipe
        do {
            input = try SpawnPipe(for: "a child's input")
            output = try SpawnPipe(for: "a child's output")
        } catch {
            close(logFile)
            throw error
        }
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = []
        let inputWriter = input.takeWriteEnd()
        let outputReader = output.takeReadEnd()
        let outcome: ExecutionResult<ChildWatch.Report, FileDescriptorOutput, FileDescriptorOutput>
        do {
            outcome = try await Subprocess.run(
                .path(FilePath(program)),
                arguments: Arguments(executablePathOverride: "shufflenetd", remainingValues: arguments),
                environment: environment,
                platformOptions: options,
                input: .fileDescriptor(FileDescriptor(rawValue: input.takeReadEnd()), closeAfterSpawningProcess: true),
                output: .fileDescriptor(
                    FileDescriptor(rawValue: output.takeWriteEnd()), closeAfterSpawningProcess: true),
                error: .fileDescriptor(FileDescriptor(rawValue: logFile), closeAfterSpawningProcess: true)
            ) { execution in
                let child = execution.processIdentifier
                control.started(child.value)
                let watch = ChildWatch(
                    pid: child.value, processDescriptor: child.processDescriptor, input: inputWriter,
                    output: outputReader, greeting: line, grace: grace,
                    memory: MemoryWatch(pid: child.value, limit: memoryLimit), logger: logger, event: event)
                // The thread ends when the child has; cancellation reaches the child through `control` only.
                let report = await watch.follow()
                control.ended()
                return report
            }
        } catch let error as SubprocessError {
            control.ended()
            close(inputWriter)
            close(outputReader)
            throw StartError.notStarted("\(error)")
        }
        let exit: ChildEnd.Exit =
            switch outcome.terminationStatus {
            case .exited(let code): .exited(code)
            case .signaled(let signal): .signalled(signal)
            }
        let report = outcome.closureResult
        return ChildEnd(
            exit: exit, result: report.result, failure: report.failure, garbageLines: report.garbageLines,
            cpuTime: report.cpuTime, peakMemoryBytes: report.peakMemoryBytes, memoryExcess: report.memoryExcess)
    }
}
