internal import Foundation
internal import Postgres

extension JobStore {
    /// Throws `PostgresError` with the server's sentence and hint for bad kinds, args, names and numbers.
    public func submit(_ request: JobRequest) async throws -> JobID {
        let rows = try await database.query(
            IntakeStatement.submit,
            [
                request.kind.rawValue, request.args.text, request.name, request.priority, request.runAt,
                request.uniqueKey, request.queue, request.maxAttempts, request.timeout,
                request.after.isEmpty ? nil : request.after.map(\.rawValue), request.concurrencyKey, request.cores,
                request.memoryLimit,
            ])
        return JobID(try rows[0].decode("id"))
    }

    /// An available or held job is cancelled at once, a running one is asked to stop (flag and NOTIFY).
    /// Throws `PostgresError` if there is no such job.
    public func cancel(_ job: JobID) async throws -> CancelOutcome {
        try await database.query("SELECT shufflenet.cancel($1) AS outcome", [job.rawValue])[0].decodeCase("outcome")
    }

    /// Puts a failed, cancelled or held job back in the queue, its limits counted anew. Throws for other states.
    public func retry(_ job: JobID) async throws {
        try await database.query("SELECT shufflenet.retry($1)", [job.rawValue])
    }

    /// Keeps a waiting job back until `letGo` or `cancel`. Throws for other states.
    public func hold(_ job: JobID) async throws {
        try await database.query("SELECT shufflenet.hold($1)", [job.rawValue])
    }

    /// Makes a held job available. Throws for other states.
    public func letGo(_ job: JobID) async throws {
        try await database.query("SELECT shufflenet.release($1)", [job.rawValue])
    }

    /// Nothing more is claimed from the queue until `resumeQueue`; running jobs go on.
    public func pauseQueue(_ queue: String, note: String? = nil) async throws {
        try await database.query("SELECT shufflenet.pause_queue($1, $2)", [queue, note])
    }

    /// `false` if it was not paused.
    public func resumeQueue(_ queue: String) async throws -> Bool {
        try await database.query("SELECT shufflenet.resume_queue($1) AS was_paused", [queue])[0].decode("was_paused")
    }

    private enum IntakeStatement {
        static let submit = """
            SELECT shufflenet.submit(kind => $1, args => $2::jsonb, name => $3, priority => $4::integer,
                run_at => $5::timestamptz, unique_key => $6, queue => $7, max_attempts => $8::integer,
                timeout => $9::interval, after => $10::bigint[], concurrency_key => $11, cores => $12::integer,
                memory_limit => $13::bigint) AS id
            """
    }
}

public enum CancelOutcome: String, Sendable {
    /// It was waiting: it is cancelled.
    case cancelled
    /// It is running: its worker has been asked.
    case cancelling
    /// It had ended before.
    case finished
}
