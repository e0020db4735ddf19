internal import Postgres

extension JobStore {
    /// Takes up to `limit` due jobs, highest priority first, in ONE statement that is committed when this returns.
    ///
    /// Empty if nothing is due, or if the worker was declared dead meanwhile (then the heartbeat says so too).
    public func claimAvailable(
        _ limit: Int, for worker: WorkerID, queues: [String] = ["default"], kinds: [JobKind] = JobKind.allCases
    ) async throws -> [ClaimedJob] {
        guard limit > 0 else { return [] }
        let rows = try await database.query(
            ClaimStatement.claim, [limit, worker.rawValue, queues, kinds.map(\.rawValue)])
        return try rows.map { row in
            let job = try Job(row)
            return ClaimedJob(
                job: job, lease: Lease(job: job.id, token: LeaseToken(try row.decode("lease_token"))),
                previousToken: try row.decodeIfPresent("previous_token").map(LeaseToken.init(rawValue:)))
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
        /// ends at the limit. `now()` and not `clock_timestamp()`, which no index can be asked for.
        static let claim = """
            WITH due AS MATERIALIZED (
                SELECT j.id, j.lease_token
                FROM shufflenet.jobs AS j
                WHERE j.state = 'available' AND NOT j.intake_pending AND j.run_at <= now()
                    AND j.queue = ANY ($3::text[]) AND j.kind = ANY ($4::text[])
                    AND EXISTS (SELECT FROM shufflenet.workers AS w WHERE w.id = $2 AND w.retired_at IS NULL)
                ORDER BY j.priority DESC, j.run_at, j.id
                LIMIT $1
                FOR UPDATE OF j SKIP LOCKED
            ), claimed AS (
                UPDATE shufflenet.jobs AS j
                SET state = 'running', lease_token = nextval('shufflenet.lease_tokens'), worker_id = $2,
                    attempt = j.attempt + 1, started_at = clock_timestamp(), progress = 0, progress_message = NULL
                FROM due WHERE j.id = due.id
                RETURNING j.*, due.lease_token AS previous_token
            ), begun AS (
                INSERT INTO shufflenet.job_attempts (job_id, lease_token, attempt, worker_id)
                SELECT id, lease_token, attempt, worker_id FROM claimed
            )
            SELECT \(Job.columns(of: "c")), c.previous_token FROM claimed AS c
            ORDER BY c.priority DESC, c.run_at, c.id
            """

        /// FOR SHARE on the job: between looking and writing it must not be taken away.
        static let recordLog = """
            WITH held AS MATERIALIZED (
                SELECT id, lease_token FROM shufflenet.jobs
                WHERE id = $1 AND lease_token = $2 AND state = 'running' FOR SHARE
            )
            UPDATE shufflenet.job_attempts AS a SET log_path = $3
            FROM held WHERE a.job_id = held.id AND a.lease_token = held.lease_token
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
