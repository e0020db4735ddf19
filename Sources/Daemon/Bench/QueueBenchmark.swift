public import Foundation
import JobQueue
public import Postgres
import Synchronization

/// Times the queue's own work on a PostgreSQL, beside what the server does with two bare statements.
public struct QueueBenchmark: Sendable {
    public struct Figure: Encodable, Sendable {
        public var what: String
        public var figures: [String: Double]

        public init(what: String, figures: [String: Double]) {
            self.what = what
            self.figures = figures
        }
    }

    let settings: ConnectionSettings
    let database: Database
    let store: JobStore
    let worker: WorkerID
    let folder: URL

    /// Migrates the database, which is to be used for nothing else.
    ///
    /// - Parameter folder: where the daemons keep their files.
    public init(_ settings: ConnectionSettings, claimers: Int, folder: URL) async throws {
        self.settings = settings
        self.folder = folder
        try await JobStore.migrate(settings)
        database = Database(settings, capacity: DaemonRuntime.connections(workers: claimers))
        store = JobStore(database)
        worker = try await store.registerWorker(WorkerRegistration(slots: claimers))
    }

    /// Claims and completes `jobs` one by one with so many claimers, as one daemon; jobs a second.
    ///
    /// - Parameters:
    ///   - handingOver: a completion claims the next job, as in the daemon; otherwise each claim is a transaction of its own.
    ///   - waiting: rows that wait behind them and are not claimed.
    public func throughput(
        jobs: Int, claimers: Int, handingOver: Bool = true, waiting: Int = 0
    ) async throws -> Double {
        try await fill(jobs, waiting: waiting)
        let began = ContinuousClock.now
        let done = try await workOff(claimers: claimers, share: jobs / claimers, handingOver: handingOver)
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        guard done > jobs * 9 / 10 else { throw PostgresError(.noData, "only \(done) of \(jobs) jobs were claimed") }
        return Double(done) / seconds
    }

    /// The same for `duration` while a transaction with a snapshot of the beginning is held open, so that nothing of
    /// what the queue leaves behind can be cleared away; jobs a second, on the whole and in the last sixth.
    public func throughputBesideOpenTransaction(
        _ duration: Duration, jobs: Int, claimers: Int
    ) async throws -> (whole: Double, end: Double) {
        try await fill(jobs, waiting: 0)
        return try await database.withOpenTransaction(settings) {
            let began = ContinuousClock.now
            let early = try await workOff(claimers: claimers, until: began + duration * 5 / 6)
            let late = ContinuousClock.now
            let last = try await workOff(claimers: claimers, until: began + duration)
            let end = ContinuousClock.now
            guard early + last < jobs else { throw PostgresError(.noData, "\(jobs) jobs were too few") }
            return (
                Double(early + last) / ((end - began) / .seconds(1)), Double(last) / ((end - late) / .seconds(1))
            )
        }
    }

    /// Returns how many jobs were completed by claimers that each do `share` of them, or stop at a time.
    private func workOff(
        claimers: Int, share: Int = .max, handingOver: Bool = true, until end: ContinuousClock.Instant? = nil
    ) async throws -> Int {
        let place = SharedPlace()
        return try await Database.nearby {
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<claimers {
                    group.addTask {
                        var done = 0
                        var next: ClaimedJob?
                        while done < share, end.map({ ContinuousClock.now < $0 }) ?? true {
                            if next == nil {
                                next = try await store.claimAvailable(1, for: worker, behind: place.value).first
                            }
                            guard let claim = next else { break }
                            place.value = claim.place
                            let succession = try await store.complete(
                                claim.lease, result: .emptyObject, outputPath: "/r",
                                claiming: handingOver && done + 1 < share
                                    ? NextClaim(for: worker, behind: place.value) : nil)
                            if succession.isCompleted { done += 1 }
                            next = succession.next
                        }
                        return done
                    }
                }
                return try await group.reduce(0, +)
            }
        }
    }

    /// The same by pgbench with a table of five columns and the two statements that any queue needs.
    public func bareStatements(jobs: Int, claimers: Int) async throws -> Double {
        try await database.withConnection {
            _ = try $0.script(
                """
                DROP TABLE IF EXISTS bare; DROP SEQUENCE IF EXISTS bare_tokens; CREATE SEQUENCE bare_tokens;
                CREATE TABLE bare (id bigserial PRIMARY KEY, state text DEFAULT 'available', token bigint,
                    started_at timestamptz, finished_at timestamptz);
                CREATE INDEX ON bare (id) WHERE state = 'available';
                INSERT INTO bare SELECT FROM generate_series(1, \(jobs));
                """)
            _ = try $0.script("VACUUM ANALYZE bare")
        }
        let script = """
            UPDATE bare SET state = 'running', token = nextval('bare_tokens'), started_at = clock_timestamp() WHERE id = (
                SELECT id FROM bare WHERE state = 'available' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
                RETURNING id, token \\gset
            UPDATE bare SET state = 'completed', finished_at = clock_timestamp()
                WHERE id = :id AND token = :token AND state = 'running';

            """
        let file = FileManager.default.temporaryDirectory.appending(path: "bare-\(UUID().uuidString).sql")
        try script.write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "pgbench", "-h", settings.host ?? "", "-U", settings.user ?? "", "-n", "-M", "prepared", "-f", file.path,
            "-c", "\(claimers)", "-j", "2", "-t", "\(jobs / claimers)", settings.database ?? "",
        ]
        let output = Foundation.Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let line = text.split(separator: "\n").first { $0.hasPrefix("tps = ") }
        guard let tps = line?.split(separator: " ").dropFirst(2).first.flatMap({ Double($0) }) else {
            throw PostgresError(.noData, "pgbench gave no figure: \(text.suffix(300))")
        }
        return tps
    }

    /// Inserts a job every `interval` against a listening claimer; milliseconds from the commit to the claim's answer.
    public func latency(jobs: Int, every interval: Duration = .milliseconds(5)) async throws -> [Double] {
        try await fill(0, waiting: 0)
        let (claims, continuation) = AsyncStream.makeStream(of: (JobID, ContinuousClock.Instant).self)
        let hints = QueueListener(settings, probedBy: database).hints()
        let listening = Task {
            for await _ in hints {
                while let claim = try? await store.claimAvailable(1, for: worker).first {
                    continuation.yield((claim.id, .now))
                }
            }
        }
        // The listener has its connection.
        try await Task.sleep(for: .milliseconds(500))
        var committed: [JobID: ContinuousClock.Instant] = [:]
        for _ in 0..<jobs {
            let id = try await store.submit(
                JobRequest(kind: .train, args: JSONDocument(text: #"{"dataset": "a"}"#)))
            committed[id] = .now
            try await Task.sleep(for: interval)
        }
        var milliseconds: [Double] = []
        for await (id, at) in claims {
            if let commit = committed[id] { milliseconds.append(max(0, (at - commit) / .milliseconds(1))) }
            if milliseconds.count == jobs { break }
        }
        listening.cancel()
        return milliseconds.sorted()
    }

    func fill(_ jobs: Int, waiting: Int) async throws {
        try await database.withConnection {
            // Without triggers, whose work is no part of what is measured.
            _ = try $0.script(
                "TRUNCATE shufflenet.jobs, shufflenet.job_history; SET session_replication_role = replica")
            for (count, priority) in [(jobs, 0), (waiting, -50)] {
                try $0.query(
                    "INSERT INTO shufflenet.jobs (kind, args, priority) SELECT 'train', '{\"dataset\": \"a\"}', $2::int FROM generate_series(1, $1::int)",
                    [count, priority])
            }
            _ = try $0.script("RESET session_replication_role")
            _ = try $0.script("VACUUM ANALYZE shufflenet.jobs")
        }
    }
}

/// Where a daemon's claimers go on from; from the front every two seconds, as with its poll.
private final class SharedPlace: Sendable {
    private let state = Mutex<(place: QueuePlace?, since: ContinuousClock.Instant)>((nil, .now))

    var value: QueuePlace? {
        get {
            state.withLock {
                if ContinuousClock.now - $0.since > .seconds(2) { $0 = (nil, .now) }
                return $0.place
            }
        }
        set { state.withLock { $0.place = newValue } }
    }
}

extension Database {
    /// Runs `body` while another connection holds a snapshot, and a number among the running transactions.
    fileprivate func withOpenTransaction<Result: Sendable>(
        _ settings: ConnectionSettings, _ body: @Sendable () async throws -> Result
    ) async throws -> Result {
        let holder = Process()
        holder.executableURL = URL(filePath: "/usr/bin/env")
        holder.arguments = [
            "psql", "-qX", "-h", settings.host ?? "", "-U", settings.user ?? "", settings.database ?? "",
        ]
        let input = Foundation.Pipe()
        let output = Foundation.Pipe()
        holder.standardInput = input
        holder.standardOutput = output
        try holder.run()
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT txid_current();\n"
        try input.fileHandleForWriting.write(contentsOf: Data(begin.utf8))
        _ = output.fileHandleForReading.availableData
        defer {
            try? input.fileHandleForWriting.close()
            holder.waitUntilExit()
        }
        return try await body()
    }
}
