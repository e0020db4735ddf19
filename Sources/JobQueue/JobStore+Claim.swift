internal import Logging
internal import Postgres

extension JobStore {
    /// Takes up to `limit` due jobs, highest priority first, each in ONE statement that is committed at once.
    ///
    /// Empty if nothing is due, or if the worker was declared dead meanwhile (then the heartbeat says so too).
    ///
    /// - Parameter place: where the claim before found its job: this one looks behind it first, and at the front only if
    ///   nothing is there. While a transaction is held open somewhere, the ones taken can't be cleared out of the index,
    ///   and every look from the front wades through all of them. What has come in front meanwhile (a higher priority, a
    ///   job that was given back) is not seen, so give none after a hint, nor for long.
    public func claimAvailable(
        _ limit: Int, for worker: WorkerID, queues: [String] = ["default"], kinds: [JobKind] = JobKind.allCases,
        behind place: QueuePlace? = nil
    ) async throws -> [ClaimedJob] {
        let kinds = kinds == JobKind.allCases ? nil : kinds
        var parameters: [any PostgresParameter] = [worker.rawValue, queues]
        if let kinds { parameters.append(kinds.map(\.rawValue)) }
        var claims: [ClaimedJob] = []
        var place = place
        do {
            while claims.count < limit {
                if let claim = try await claimPastRivals(parameters, ofSomeKinds: kinds != nil, behind: place) {
                    claims.append(claim)
                    place = claim.place
                } else if place != nil {
                    place = nil
                } else {
                    break
                }
            }
        } catch  where !claims.isEmpty {
            // Those that were taken are the caller's by now; what is wrong will show again.
            logger.warning("claimed fewer jobs than wanted", metadata: ["error": "\(error)"])
        }
        return claims
    }

    /// Two claimers can find two jobs of one concurrency key at the same moment; the unique index lets one of them have
    /// it. The other looks again and sees the key in use.
    private func claimPastRivals(
        _ parameters: [any PostgresParameter], ofSomeKinds: Bool, behind place: QueuePlace?
    ) async throws -> ClaimedJob? {
        let statement = ClaimStatement.claim(ofSomeKinds: ofSomeKinds, behind: place != nil)
        let parameters = parameters + (place?.parameters ?? [])
        var tries = 0
        while true {
            do {
                return try await database.query(statement, parameters).first.map(ClaimedJob.init)
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
        static func claim(ofSomeKinds: Bool, behind: Bool) -> String {
            switch (ofSomeKinds, behind) {
            case (false, false): any
            case (false, true): anyBehind
            case (true, false): ofKinds
            case (true, true): ofKindsBehind
            }
        }

        private static let any = claiming()
        private static let anyBehind = claiming(behind(first: 3))
        private static let ofKinds = claiming(kinds)
        private static let ofKindsBehind = claiming(kinds + behind(first: 4))
        private static let kinds = " AND d.kind = ANY ($3::text[])"

        /// `QueuePlace.parameters` begin with `$first`.
        private static func behind(first: Int) -> String {
            " AND d.priority = $\(first) AND (d.run_at, d.id) > ($\(first + 1)::timestamptz, $\(first + 2))"
        }

        /// SKIP LOCKED: claimers pass one another by. The order is that of index `jobs_claimable`, so the scan ends at its
        /// first hit. `now()` and not `clock_timestamp()`, which no index can be asked for. One job a statement: a limit
        /// that the planner does not know, or a join, would have the statement planned anew at every call, which costs
        /// more than carrying it out. `event_implied`: the row itself is the event, see view `job_events`.
        private static func claiming(_ conditions: String = "") -> String {
            """
            UPDATE shufflenet.jobs AS j
            SET state = 'running', lease_token = nextval('shufflenet.lease_tokens'), worker_id = $1,
                attempt = j.attempt + 1, started_at = clock_timestamp(), progress = 0, progress_message = NULL,
                log_path = NULL, cpu_seconds = NULL, peak_memory_bytes = NULL, event_implied = NOT j.event_implied
            WHERE j.id = (
                SELECT d.id FROM shufflenet.jobs AS d
                WHERE d.state = 'available' AND NOT d.intake_pending AND d.waits_for = 0 AND d.run_at <= now()
                    AND d.queue = ANY ($2::text[])\(conditions)
                    AND d.queue NOT IN (SELECT p.queue FROM shufflenet.paused_queues AS p)
                    AND (d.concurrency_key IS NULL OR NOT EXISTS (
                        SELECT FROM shufflenet.jobs AS r
                        WHERE r.concurrency_key = d.concurrency_key AND r.state = 'running'))
                    AND EXISTS (SELECT FROM shufflenet.workers AS w WHERE w.id = $1 AND w.retired_at IS NULL)
                ORDER BY d.priority DESC, d.run_at, d.id
                LIMIT 1
                FOR UPDATE OF d SKIP LOCKED
            )
            RETURNING \(Assignment.columns(of: "j")), j.lease_token, j.priority, j.run_at
            """
        }

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

extension QueuePlace {
    fileprivate var parameters: [any PostgresParameter] { [priority, runAt, job.rawValue] }
}

extension ClaimedJob {
    fileprivate init(_ row: Row) throws {
        job = try Assignment(row)
        lease = Lease(job: job.id, token: LeaseToken(try row.decode("lease_token")))
        // As text: a Date's fraction of a second is not exact, and many jobs can have the very same time.
        place = QueuePlace(priority: try row.decode("priority"), runAt: try row.decode("run_at"), job: job.id)
    }
}
