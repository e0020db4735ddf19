internal import Postgres

extension JobStore {
    /// Takes up to `limit` due jobs, highest priority first, in ONE statement that is committed when this returns.
    ///
    /// Empty if nothing is due, or if the worker was declared dead meanwhile (then the heartbeat says so too).
    public func claimAvailable(
        _ limit: Int, for worker: WorkerID, queues: [String] = ["default"], kinds: [JobKind] = JobKind.allCases
    ) async throws -> [ClaimedJob] {
        guard limit > 0 else { return [] }
        let parameters: [any PostgresParameter] = [limit, worker.rawValue, queues, kinds.map(\.rawValue)]
        let claims = try await claimPastRivals(parameters).map { row in
            let job = try Job(row)
            return ClaimedJob(
                job: job, lease: Lease(job: job.id, token: LeaseToken(try row.decode("lease_token"))),
                previousToken: try row.decodeIfPresent("previous_token").map(LeaseToken.init(rawValue:)))
        }
        // An UPDATE returns its rows in no order.
        return claims.sorted { ($1.job.priority, $0.job.runAt, $0.id) < ($0.job.priority, $1.job.runAt, $1.id) }
    }

    /// Two claimers can find two jobs of one concurrency key at the same moment; the unique index lets one of them have
    /// it. The other looks again and sees the key in use.
    private func claimPastRivals(_ parameters: [any PostgresParameter]) async throws -> Rows {
        var tries = 0
        while true {
            do {
                return try await database.query(ClaimStatement.claim, parameters)
            } catch let error as PostgresError where error.constraint == "jobs_concurrency_key" && tries < 10 {
                tries += 1
            }
        }
    }

    /// Keeps where the attempt's log is, before the child starts.
    @discardableResult
    public func recordLog(_ lease: Lease, path: String) async throws -> Bool {
        let rows = try await database.query(
            ClaimStatement.recordLog, [lease.job.rawValue, lease.token.rawValue, path])
        return rows.affected == 1
    }

    /// `fraction` in 0…1, what lies outside is moved to the edge. Send at most one a second for a job.
    @discardableResult
    public func reportProgress(_ lease: Lease, fraction: Double, message: String?) async throws -> Bool {
        let fraction = fraction.isNaN ? 0 : min(max(fraction, 0), 1)
        let rows = try await database.query(
            ClaimStatement.progress, [lease.job.rawValue, lease.token.rawValue, fraction, message])
        return rows.affected == 1
    }

    /// Whether the lease still holds, by the database. Ask before publishing files.
    public func holds(_ lease: Lease) async throws -> Bool {
        let rows = try await database.query(ClaimStatement.holds, [lease.job.rawValue, lease.token.rawValue])
        return !rows.isEmpty
    }

    private enum ClaimStatement {
        /// MATERIALIZED: inlined into the UPDATE, the subquery could run once more for each row and take more than the
        /// limit. SKIP LOCKED: claimers pass one another by. The order is that of index `jobs_claimable`, so the scan
        /// ends at the limit. `now()` and not `clock_timestamp()`, which no index can be asked for. Of the due ones that
        /// share a concurrency key the first is taken.
        static let claim = """
            WITH due AS MATERIALIZED (
                SELECT j.id, j.lease_token, j.concurrency_key, j.priority, j.run_at
                FROM shufflenet.jobs AS j
                WHERE j.state = 'available' AND NOT j.intake_pending AND j.waits_for = 0 AND j.run_at <= now()
                    AND j.kind = ANY ($4::text[])
                    AND j.queue = ANY (ARRAY(
                        SELECT unnest($3::text[]) EXCEPT SELECT p.queue FROM shufflenet.paused_queues AS p))
                    AND (j.concurrency_key IS NULL OR NOT EXISTS (
                        SELECT FROM shufflenet.jobs AS r
                        WHERE r.concurrency_key = j.concurrency_key AND r.state = 'running'))
                    AND EXISTS (SELECT FROM shufflenet.workers AS w WHERE w.id = $2 AND w.retired_at IS NULL)
                ORDER BY j.priority DESC, j.run_at, j.id
                LIMIT $1
                FOR UPDATE OF j SKIP LOCKED
            )
            UPDATE shufflenet.jobs AS j
            SET state = 'running', lease_token = nextval('shufflenet.lease_tokens'), worker_id = $2,
                attempt = j.attempt + 1, started_at = clock_timestamp(), progress = 0, progress_message = NULL,
                log_path = NULL, cpu_seconds = NULL, peak_memory_bytes = NULL
            FROM due
            WHERE j.id = due.id AND (due.concurrency_key IS NULL OR NOT EXISTS (
                SELECT FROM due AS d WHERE d.concurrency_key = due.concurrency_key
                    AND (-d.priority, d.run_at, d.id) < (-due.priority, due.run_at, due.id)))
            RETURNING \(Job.columns(of: "j")), due.lease_token AS previous_token
            """

        static let recordLog = """
            UPDATE shufflenet.jobs SET log_path = $3 WHERE id = $1 AND lease_token = $2 AND state = 'running'
            """

        static let progress = """
            UPDATE shufflenet.jobs SET progress = $3, progress_message = coalesce($4, progress_message)
            WHERE id = $1 AND lease_token = $2 AND state = 'running'
            """

        static let holds = """
            SELECT FROM shufflenet.jobs WHERE id = $1 AND lease_token = $2 AND state = 'running'
            """
    }
}
