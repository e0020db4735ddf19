internal import Postgres

extension JobStore {
    /// Takes back the jobs of workers that have been silent for as long as each of them said when it registered, by the
    /// database's clock, or retired. Any daemon may call it at any time; compare-and-set on the token decides among them.
    public func rescueAbandoned() async throws -> [RescuedJob] {
        try await database.query(RescueStatement.forgetFuture)
        try await database.query(RescueStatement.retireSilent)
        return try await takeBack()
    }

    /// Takes back at once the jobs of workers on this machine whose process is gone: same host and machine with
    /// another boot id, or the same boot id and pid namespace with a pid that is dead or somebody else by now.
    public func rescueDeadNeighbours(of process: ProcessIdentity) async throws -> [RescuedJob] {
        let gone = try await workers().filter { process.knowsIsGone($0.process) }
        guard !gone.isEmpty else { return [] }
        try await database.query(WorkerStatement.retire, [gone.map(\.id.rawValue)])
        return try await takeBack()
    }

    private func takeBack() async throws -> [RescuedJob] {
        let ending = Ending(reason: .leaseLost, error: nil, usage: AttemptUsage(), policy: .immediate)
        let rows = try await database.query(
            RescueStatement.takeBack, ending.parameters(limits))
        return try rows.map { row in
            let ended = try EndedJob(row)
            return RescuedJob(lease: ended.lease, state: ended.state)
        }
    }

    private enum RescueStatement {
        /// The server's clock was set back: without this, a worker that is dead by now would count as alive until the
        /// clock is there again.
        static let forgetFuture = """
            UPDATE shufflenet.workers SET last_heartbeat = clock_timestamp()
            WHERE retired_at IS NULL AND last_heartbeat > clock_timestamp() + dead_after
            """

        static let retireSilent = """
            UPDATE shufflenet.workers SET retired_at = clock_timestamp()
            WHERE retired_at IS NULL AND last_heartbeat < clock_timestamp() - dead_after
            """

        /// Goes by the retired worker and not by this call's findings, so that a job which was locked, or claimed in the
        /// very moment its worker was retired, is found by the next sweep. SKIP LOCKED: whoever holds the lock is about
        /// to end the job or to rescue it.
        static let takeBack = Ending.statement(
            held: """
                SELECT j.*, coalesce($2::text, '')
                    || format('the worker on %s (process %s) was lost, its last heartbeat came at %s', w.host, w.pid,
                        to_char(w.last_heartbeat AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"')) AS sentence
                FROM shufflenet.jobs AS j JOIN shufflenet.workers AS w ON w.id = j.worker_id
                WHERE j.state = 'running' AND w.retired_at IS NOT NULL
                FOR UPDATE OF j SKIP LOCKED
                """)
    }
}

public struct RescuedJob: Sendable, Equatable {
    /// The lease that was taken away; its work folder may be swept, or resumed from by the next attempt.
    public var lease: Lease
    /// `available`, `held` or (cancel had been asked for) `cancelled`.
    public var state: JobState

    public init(lease: Lease, state: JobState) {
        self.lease = lease
        self.state = state
    }
}
