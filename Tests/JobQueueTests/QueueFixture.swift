import Foundation
import JobQueue
import Logging
import Postgres
import TestSupport

/// A fresh database with the queue's schema, and one worker.
struct QueueFixture: Sendable {
    let test: TestDatabase
    let store: JobStore
    let worker: WorkerID

    var database: Database { test.database }

    /// Migrated once and copied: a hundred tests that migrate at the same time keep the server from everybody else.
    private static let migrated = Task {
        let test = try await TestDatabase.make()
        try await JobStore.migrate(test.settings)
        return test
    }

    static func make(capacity: Int = 4) async throws -> QueueFixture {
        let test = try await TestDatabase.make(capacity: capacity, copyOf: try await migrated.value)
        let store = JobStore(test.database)
        return QueueFixture(
            test: test, store: store, worker: try await store.registerWorker(WorkerRegistration(slots: 4)))
    }

    /// The plainest job there is.
    func insert(_ count: Int = 1, args: String = #"{"dataset": "flowers"}"#) async throws {
        try await database.query(
            "INSERT INTO shufflenet.jobs (kind, args) SELECT 'train', $1::jsonb FROM generate_series(1, $2::int)",
            [args, count])
    }

    func claimOne() async throws -> ClaimedJob {
        guard let claim = try await store.claimAvailable(1, for: worker).first else {
            throw PostgresError(.noData, "there was nothing to claim")
        }
        return claim
    }

    /// As if the waiting time of a retry had passed.
    func makeDue() async throws {
        try await database.query("UPDATE shufflenet.jobs SET run_at = now() WHERE state = 'available'")
    }

    /// A worker that has been silent for a minute.
    func silence(_ worker: WorkerID) async throws {
        try await database.query(
            "UPDATE shufflenet.workers SET last_heartbeat = now() - interval '1 minute' WHERE id = $1",
            [worker.rawValue])
    }
}

extension Connection {
    /// Whether another session waits for what this one has locked.
    func isWaitedFor() throws -> Bool {
        try !query("SELECT FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))").isEmpty
    }
}
