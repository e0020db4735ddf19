internal import Foundation
internal import Postgres

extension Job {
    /// The columns that `init(_:)` wants, of a table or query named `source`.
    static func columns(of source: String) -> String {
        let own = [
            "queue", "state", "reason", "error", "priority", "run_at", "max_attempts", "crash_count", "loss_count",
            "preempt_count", "lease_token", "worker_id", "cancel_requested", "unique_key", "concurrency_key",
            "waits_for", "parent_id", "schedule_name", "fire_at", "progress", "progress_message", "result",
            "output_path", "created_at", "started_at", "finished_at", "submitted_by",
        ]
        return Assignment.columns(of: source) + own.map { ", \(source).\($0)" }.joined()
    }

    init(_ row: Row) throws {
        assignment = try Assignment(row)
        queue = try row.decode("queue")
        state = try row.decodeCase("state")
        reason = try row.decodeCaseIfPresent("reason")
        error = try row.decodeIfPresent("error")
        priority = try row.decode("priority")
        runAt = try row.decode("run_at")
        maxAttempts = try row.decode("max_attempts")
        crashCount = try row.decode("crash_count")
        lossCount = try row.decode("loss_count")
        preemptCount = try row.decode("preempt_count")
        leaseToken = try row.decodeIfPresent("lease_token").map(LeaseToken.init(rawValue:))
        workerID = try row.decodeIfPresent("worker_id").map(WorkerID.init(rawValue:))
        cancelRequested = try row.decode("cancel_requested")
        uniqueKey = try row.decodeIfPresent("unique_key")
        concurrencyKey = try row.decodeIfPresent("concurrency_key")
        waitsFor = try row.decode("waits_for")
        parent = try row.decodeIfPresent("parent_id").map(JobID.init(rawValue:))
        scheduleName = try row.decodeIfPresent("schedule_name")
        fireAt = try row.decodeIfPresent("fire_at")
        progress = try row.decode("progress")
        progressMessage = try row.decodeIfPresent("progress_message")
        result = try row.decodeIfPresent("result").map(JSONDocument.init(text:))
        outputPath = try row.decodeIfPresent("output_path")
        createdAt = try row.decode("created_at")
        startedAt = try row.decodeIfPresent("started_at")
        finishedAt = try row.decodeIfPresent("finished_at")
        submittedBy = try row.decode("submitted_by")
    }
}

extension Row {
    /// Reads a text that is one of a known few.
    func decodeCase<Value: RawRepresentable>(_ name: String, as type: Value.Type = Value.self) throws -> Value
    where Value.RawValue == String {
        let text: String = try decode(name)
        guard let value = Value(rawValue: text) else {
            throw PostgresError(
                .dataException, "column '\(name)' is not a \(Value.self) this program knows",
                hint: "The row may come from a newer shufflenetd.")
        }
        return value
    }

    func decodeCaseIfPresent<Value: RawRepresentable>(_ name: String, as type: Value.Type = Value.self) throws -> Value?
    where Value.RawValue == String {
        guard try decodeIfPresent(name, as: String.self) != nil else { return nil }
        return try decodeCase(name)
    }
}
