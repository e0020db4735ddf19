internal import Foundation
internal import Logging
internal import Postgres

extension JobStore {
    /// Newest first. A row that can't be read, from a newer program or written past the checks, is logged and hides none of
    /// the others.
    public func jobs(
        states: [JobState] = JobState.allCases, kinds: [JobKind] = JobKind.allCases, limit: Int = 100
    ) async throws -> [Job] {
        let parameters: [any PostgresParameter] = [states.map(\.rawValue), kinds.map(\.rawValue), limit]
        return try await database.query(QueryStatement.jobs, parameters).compactMap { row in
            do {
                return try Job(row)
            } catch let error as PostgresError {
                let id = try row.decode("id", as: String.self)
                logger.error("job \(id) is left out, its row can't be read: \(error)")
                return nil
            }
        }
    }

    public func job(_ id: JobID) async throws -> Job? {
        try await database.query(QueryStatement.job, [id.rawValue]).first.map(Job.init)
    }

    /// Oldest first.
    public func events(of job: JobID) async throws -> [JobEvent] {
        try await database.query(QueryStatement.events, [job.rawValue]).map(JobEvent.init)
    }

    /// Oldest first; `logPath` tells where each attempt's log is.
    public func attempts(of job: JobID) async throws -> [JobAttempt] {
        try await database.query(QueryStatement.attempts, [job.rawValue]).map(JobAttempt.init)
    }

    /// The token of the attempt that completed a job.
    public func winner(of job: JobID) async throws -> LeaseToken? {
        try await database.query(QueryStatement.winner, [job.rawValue]).first
            .map { LeaseToken(try $0.decode("lease_token")) }
    }

    /// Whether a job was made to wait for another one, or for one that waited for it.
    public func waited(_ job: JobID, for other: JobID) async throws -> Bool {
        try await !database.query(QueryStatement.waited, [job.rawValue, other.rawValue]).isEmpty
    }

    /// The parts of a job with shards, in order.
    public func shards(of job: JobID) async throws -> [Job] {
        try await database.query(QueryStatement.shards, [job.rawValue]).map(Job.init)
    }

    private enum QueryStatement {
        static let jobs = """
            SELECT \(Job.columns(of: "j")) FROM shufflenet.jobs AS j
            WHERE j.state = ANY ($1::text[]) AND j.kind = ANY ($2::text[]) ORDER BY j.id DESC LIMIT $3
            """

        static let job = "SELECT \(Job.columns(of: "j")) FROM shufflenet.jobs AS j WHERE j.id = $1"

        static let waited = """
            WITH RECURSIVE before (id) AS (
                SELECT unnest(j.after) FROM shufflenet.jobs AS j WHERE j.id = $1
                UNION SELECT unnest(j.after) FROM shufflenet.jobs AS j JOIN before AS b ON b.id = j.id
            )
            SELECT FROM before WHERE id = $2
            """

        static let shards = """
            SELECT \(Job.columns(of: "j")) FROM shufflenet.jobs AS j
            WHERE j.id = ANY ((SELECT p.after FROM shufflenet.jobs AS p WHERE p.id = $1)::bigint[]) AND j.parent_id = $1
            ORDER BY j.shard
            """

        static let events = """
            SELECT job_id, at, from_state, to_state, reason, message, attempt, worker_id, actor
            FROM shufflenet.job_events WHERE job_id = $1 ORDER BY id
            """

        static let attempts = """
            SELECT job_id, attempt, lease_token, worker_id, started_at, finished_at, reason, error, log_path, cpu_seconds,
                peak_memory_bytes
            FROM shufflenet.job_attempts WHERE job_id = $1 ORDER BY lease_token
            """

        static let winner = """
            SELECT lease_token FROM shufflenet.job_attempts
            WHERE job_id = $1 AND finished_at IS NOT NULL AND reason IS NULL ORDER BY lease_token DESC LIMIT 1
            """
    }
}

extension JobEvent {
    init(_ row: Row) throws {
        job = JobID(try row.decode("job_id"))
        at = try row.decode("at")
        from = try row.decodeCaseIfPresent("from_state")
        to = try row.decodeCase("to_state")
        reason = try row.decodeCaseIfPresent("reason")
        message = try row.decodeIfPresent("message")
        attempt = try row.decode("attempt")
        worker = try row.decodeIfPresent("worker_id").map(WorkerID.init(rawValue:))
        actor = try row.decode("actor")
    }
}

extension JobAttempt {
    init(_ row: Row) throws {
        job = JobID(try row.decode("job_id"))
        attempt = try row.decode("attempt")
        token = LeaseToken(try row.decode("lease_token"))
        worker = try row.decodeIfPresent("worker_id").map(WorkerID.init(rawValue:))
        startedAt = try row.decode("started_at")
        finishedAt = try row.decodeIfPresent("finished_at")
        reason = try row.decodeCaseIfPresent("reason")
        error = try row.decodeIfPresent("error")
        logPath = try row.decodeIfPresent("log_path")
        cpuTime = try row.decodeIfPresent("cpu_seconds")
        peakMemoryBytes = try row.decodeIfPresent("peak_memory_bytes")
    }
}
