internal import Foundation
internal import Postgres

extension JobStore {
    /// Makes a row for this process. Call `rescueDeadNeighbours` right after it: own jobs of before come back at once.
    public func registerWorker(_ registration: WorkerRegistration) async throws -> WorkerID {
        let process = registration.process
        let rows = try await database.query(
            WorkerStatement.register,
            [
                process.host, process.machineID, process.bootID, process.pidNamespace, process.pid, process.started,
                registration.slots, registration.version, registration.queues, registration.deadAfter,
            ])
        return WorkerID(try rows[0].decode("id"))
    }

    /// Says that the worker lives and hears how its jobs stand: one UPDATE of one row, never a NOTIFY.
    ///
    /// The lease's fence counts from the instant *before* this call, not from its answer. `LeaseAudit` compares the
    /// answer with what the worker does.
    public func heartbeat(_ worker: WorkerID) async throws -> Heartbeat {
        let rows = try await database.query(WorkerStatement.beat, [worker.rawValue])
        let holdings = try rows.compactMap { row -> Heartbeat.Holding? in
            guard let job = try row.decodeIfPresent("job_id", as: Int64.self) else { return nil }
            return Heartbeat.Holding(
                lease: Lease(job: JobID(job), token: LeaseToken(try row.decode("lease_token"))),
                cancelRequested: try row.decode("cancel_requested"))
        }
        return Heartbeat(isAlive: !rows.isEmpty, holdings: holdings)
    }

    /// Says goodbye: nothing is running any more. What still is running gets rescued by the next sweep.
    public func retireWorker(_ worker: WorkerID) async throws {
        try await database.query(WorkerStatement.retire, [[worker.rawValue]])
    }

    /// What this database is called, to tell it from others; it stays the same in a restored copy.
    public func databaseIdentity() async throws -> String {
        try await database.query("SELECT id::text AS id FROM shufflenet.identity")[0].decode("id")
    }

    /// Queues with jobs that no running daemon will claim; by name.
    public func unservedQueues() async throws -> [(queue: String, jobs: Int)] {
        try await database.query(WorkerStatement.unserved).map { (try $0.decode("queue"), try $0.decode("jobs")) }
    }

    /// Whether any daemon of this database runs.
    public func isServed() async throws -> Bool {
        try await database.query(WorkerStatement.served)[0].decode("served")
    }

    /// Newest first.
    public func workers(includingRetired: Bool = false) async throws -> [WorkerRow] {
        try await database.query(WorkerStatement.list, [includingRetired]).map(WorkerRow.init)
    }

    enum WorkerStatement {
        static let register = """
            INSERT INTO shufflenet.workers (host, machine_id, boot_id, pid_namespace, pid, pid_started, slots, version, queues,
                dead_after)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id
            """

        /// No row: the worker was declared dead. One row with nulls: it lives and has no jobs.
        static let beat = """
            WITH beat AS (
                UPDATE shufflenet.workers SET last_heartbeat = clock_timestamp()
                WHERE id = $1 AND retired_at IS NULL RETURNING id
            )
            SELECT j.id AS job_id, j.lease_token, j.cancel_requested
            FROM beat LEFT JOIN shufflenet.jobs AS j ON j.worker_id = beat.id AND j.state = 'running'
            """

        static let retire = """
            UPDATE shufflenet.workers SET retired_at = clock_timestamp()
            WHERE id = ANY ($1::bigint[]) AND retired_at IS NULL
            """

        static let unserved = "SELECT queue, jobs FROM shufflenet.unserved_queues"

        static let served = "SELECT EXISTS (SELECT FROM shufflenet.live_workers) AS served"

        static let list = """
            SELECT w.id, w.host, w.machine_id, w.boot_id, w.pid_namespace, w.pid, w.pid_started, w.slots, w.version,
                w.started_at, w.last_heartbeat, w.retired_at,
                (SELECT count(*) FROM shufflenet.jobs AS j WHERE j.worker_id = w.id AND j.state = 'running') AS running
            FROM shufflenet.workers AS w
            WHERE w.retired_at IS NULL OR $1 ORDER BY w.id DESC
            """
    }
}

extension WorkerRow {
    init(_ row: Row) throws {
        id = WorkerID(try row.decode("id"))
        process = ProcessIdentity(
            host: try row.decode("host"), machineID: try row.decode("machine_id"), bootID: try row.decode("boot_id"),
            pidNamespace: try row.decode("pid_namespace"), pid: Int32(clamping: try row.decode("pid", as: Int.self)),
            started: try row.decode("pid_started"))
        slots = try row.decode("slots")
        version = try row.decode("version")
        startedAt = try row.decode("started_at")
        lastHeartbeat = try row.decode("last_heartbeat")
        retiredAt = try row.decodeIfPresent("retired_at")
        running = try row.decode("running")
    }
}
