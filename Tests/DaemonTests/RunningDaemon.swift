import Foundation
import Glibc
import JobQueue
import Postgres
import Synchronization
import TestSupport

/// The real binary, running `serve` in a state folder of its own, with a script in the place of its children or with
/// real ones. Killed when the test lets go of it.
final class RunningDaemon: Sendable {
    let state: String
    let process: Process
    let queue: JobStore

    /// The program that was built together with this test.
    static let program: String = {
        let bundle = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
        return bundle.appending(path: "shufflenetd").path
    }()

    /// Quick timings, so that leases lapse within a test.
    static let timings = "{heartbeat: 200ms, fence: 4s, dead: 6s, poll: 200ms}"
    static let configuration = """
        spool: {quiet_period: 300ms, poll: 300ms, min_free: 1MiB}
        threads: 2
        """

    /// - Parameters:
    ///   - child: a bash script for the children; nil for real ones.
    ///   - more: lines for the configuration file.
    ///   - launcher: a command that starts the program, which is given as its last arguments.
    ///   - flags: further ones for `serve`.
    ///   - address: the way the daemon takes to the database, if not the test's own.
    convenience init(
        scratch: Scratch, name: String = "state", database: TestDatabase, child: String?, workers: Int = 1,
        grace: String = "10s", timings: String = RunningDaemon.timings, more: String = "", launcher: [String] = [],
        address: String? = nil, flags: [String] = []
    ) throws {
        try self.init(
            scratch: scratch, name: name, database: database.database, child: child, workers: workers, grace: grace,
            timings: timings, more: more, launcher: launcher, address: address, flags: flags)
    }

    init(
        scratch: Scratch, name: String, database: Database, child: String?, workers: Int, grace: String = "10s",
        timings: String = RunningDaemon.timings, configuration: String = RunningDaemon.configuration,
        more: String = "", launcher: [String] = [], address: String? = nil, flags: [String] = []
    ) throws {
        state = "\(scratch.path)/\(name)"
        var lines = ["state: \(state)", "workers: \(workers)", "grace: \(grace)", configuration, more]
        lines += ["queue: \(timings)", "database: \(address ?? Self.address(database.settings))"]
        let file = try scratch.write(lines.joined(separator: "\n"), to: "\(name).yaml")
        var arguments = ["serve", "--config", file] + flags
        if let child {
            let script = try scratch.write("#!/bin/bash\n\(child)\n", to: "\(name).child.sh", executable: true)
            arguments += ["--child-program", script]
        }
        queue = JobStore(database)
        process = Process()
        let command = launcher + [Self.program] + arguments
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        let log = "\(scratch.path)/\(name).log"
        if !FileManager.default.fileExists(atPath: log) {
            try "".write(toFile: log, atomically: false, encoding: .utf8)
        }
        let handle = FileHandle(forUpdatingAtPath: log)
        try handle?.seekToEnd()
        process.standardError = handle
        process.standardOutput = handle
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }

    static func address(_ settings: ConnectionSettings) -> String {
        "host=\(settings.host ?? "") dbname=\(settings.database ?? "") user=\(settings.user ?? "")"
    }

    func send(_ signal: Int32) {
        kill(process.processIdentifier, signal)
    }

    /// Waits for the end of the process; nil when it doesn't come.
    func exitStatus() async -> Int32? {
        let process = self.process
        guard await eventually({ !process.isRunning }) else { return nil }
        return process.terminationStatus
    }

    /// Waits until the daemon has registered, so that the schema is there.
    func isReady() async throws -> Bool {
        await eventually {
            (try? await self.queue.workers().contains { $0.process.pid == self.process.processIdentifier }) ?? false
        }
    }

    func submit(_ kind: JobKind = .train, timeout: Duration? = nil, maxAttempts: Int = 3, args: String? = nil)
        async throws -> JobID
    {
        let args = args ?? #"{"dataset": "flowers"}"#
        return try await queue.submit(
            JobRequest(kind: kind, args: JSONDocument(text: args), maxAttempts: maxAttempts, timeout: timeout))
    }

    /// Waits until the job is in one of the states and returns it.
    func job(_ id: JobID, reaches states: JobState...) async throws -> Job? {
        _ = try await eventually { try await self.queue.job(id).map { states.contains($0.state) } ?? false }
        return try await queue.job(id)
    }
}
