import Foundation
import Glibc
import JobQueue
import Postgres
import Runs

/// What only the real daemon can show: the program itself, serving this database, with scripts for children.
extension QueueBenchmark {
    /// Milliseconds, in rising order.
    public struct Latencies: Sendable {
        public var toClaim: [Double]
        public var toFirstLine: [Double]
    }

    /// Inserts a job that does nothing every `interval`, against a daemon with so many slots.
    ///
    /// The claim is timed by the server in the statement, a child's first line by the child; all by one machine's clock.
    public func dispatchLatency(jobs: Int, every interval: Duration, slots: Int) async throws -> Latencies {
        try await fill(0, waiting: 0)
        let daemon = try BenchDaemon(settings, in: folder, slots: slots) { lines in
            """
            #!/bin/bash
            echo "$EPOCHREALTIME - $$" >> \(lines)
            read -r specification
            echo "$$ $specification" >> \(lines).jobs
            echo '{"event":"result","result":{"figures":{},"files":{},"summary":"done"}}'
            """
        }
        defer { daemon.end() }
        try await daemon.untilReady(store)
        var committed: [JobID: Double] = [:]
        for _ in 0..<jobs {
            let id = try await store.submit(
                JobRequest(kind: .classify, args: JSONDocument(text: #"{"images": "i", "model": "m"}"#)))
            committed[id] = Date.now.timeIntervalSince1970
            try await Task.sleep(for: interval)
        }
        let end = ContinuousClock.now + .seconds(60)
        while try await store.jobs(states: [.completed], limit: jobs + 1).count < jobs {
            guard ContinuousClock.now < end else { throw PostgresError(.noData, "not all no-ops were completed") }
            try await Task.sleep(for: .milliseconds(100))
        }
        let lines = daemon.firstLines()
        var latencies = Latencies(toClaim: [], toFirstLine: [])
        for job in try await store.jobs(limit: jobs + 1) {
            guard let commit = committed[job.id] else { continue }
            if let claim = job.startedAt?.timeIntervalSince1970 { latencies.toClaim.append(1000 * (claim - commit)) }
            if let line = lines[job.id.rawValue] { latencies.toFirstLine.append(1000 * (line - commit)) }
        }
        latencies.toClaim.sort()
        latencies.toFirstLine.sort()
        return latencies
    }

    /// Seconds from a kill -9 of the daemon until its job runs again, in a daemon that is started at once.
    ///
    /// - Parameter elsewhere: the daemon that was killed counts as one of another host, of which only its silence tells.
    public func recovery(elsewhere: Bool) async throws -> Double {
        try await fill(0, waiting: 0)
        let child: (String) -> String = { _ in "#!/bin/bash\nread -r specification\nread -r _\n" }
        let id: JobID
        let killed: ContinuousClock.Instant
        do {
            let daemon = try BenchDaemon(settings, in: folder, slots: 1, child: child)
            defer { daemon.end() }
            try await daemon.untilReady(store)
            id = try await store.submit(
                JobRequest(kind: .classify, args: JSONDocument(text: #"{"images": "i", "model": "m"}"#)))
            try await untilRunning(id, attempt: 1)
            killed = .now
        }
        if elsewhere {
            try await database.query(
                "UPDATE shufflenet.workers SET host = 'elsewhere', machine_id = '' WHERE retired_at IS NULL AND pid <> $1",
                [getpid()])
        }
        let daemon = try BenchDaemon(settings, in: folder, slots: 1, child: child)
        defer { daemon.end() }
        try await untilRunning(id, attempt: 2)
        return (ContinuousClock.now - killed) / .seconds(1)
    }

    private func untilRunning(_ id: JobID, attempt: Int) async throws {
        let end = ContinuousClock.now + .seconds(90)
        while true {
            if let job = try await store.job(id), job.state == .running, job.attempt >= attempt { return }
            guard ContinuousClock.now < end else { throw PostgresError(.noData, "job \(id) does not run") }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}

/// The program itself as a daemon in a folder of its own. Ends with kill -9.
private final class BenchDaemon {
    private let process = Process()
    private let folder: URL
    private var lines: String { folder.appending(path: "lines").path }

    init(
        _ settings: ConnectionSettings, in place: URL, slots: Int, child: (_ lines: String) -> String
    ) throws {
        folder = place.appending(path: "shufflenetd-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let script = folder.appending(path: "child")
        try child(lines).write(to: script, atomically: true, encoding: .utf8)
        chmod(script.path, 0o755)
        let address = "host=\(settings.host ?? "") dbname=\(settings.database ?? "") user=\(settings.user ?? "")"
        process.executableURL = URL(
            filePath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        process.arguments = [
            "serve", "--state", folder.path, "--workers", "\(slots)", "--database", address, "--log-level", "error",
            "--child-program", script.path,
        ]
        try process.run()
    }

    func untilReady(_ store: JobStore) async throws {
        let end = ContinuousClock.now + .seconds(30)
        while try await !store.workers().contains(where: { $0.process.pid == process.processIdentifier }) {
            guard process.isRunning, ContinuousClock.now < end else {
                throw PostgresError(.noData, "the daemon did not become ready")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        // It listens a moment after it has registered.
        try await Task.sleep(for: .seconds(1))
    }

    /// When each job's child came to its first line, in seconds since 1970.
    func firstLines() -> [Int64: Double] {
        let times = text(lines).reduce(into: [Substring: Double]()) { times, line in
            let fields = line.split(separator: " ")
            if fields.count == 3 { times[fields[2]] = Double(fields[0]) }
        }
        return text(lines + ".jobs").reduce(into: [:]) { found, line in
            guard let space = line.firstIndex(of: " "), let time = times[line[..<space]],
                let specification = try? JSONDecoder().decode(
                    JobSpecification.self, from: Data(line[line.index(after: space)...].utf8))
            else { return }
            found[specification.job] = time
        }
    }

    func end() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }

    private func text(_ path: String) -> [Substring] {
        let data = FileManager.default.contents(atPath: path) ?? Data()
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map { $0 }
    }
}
