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
                if let claim = try await claimOne(parameters, ofSomeKinds: kinds != nil, behind: place) {
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

    /// Few jobs have a concurrency key, and asking whether it is in use costs every claim a tenth: so the first statement
    /// takes the next job only if it has none. If it takes none, a second one looks closely, from the front.
    ///
    /// Two claimers can find two jobs of one concurrency key at the same moment; the unique index lets one of them have
    /// it. The other looks again and sees the key in use.
    private func claimOne(
        _ parameters: [any PostgresParameter], ofSomeKinds: Bool, behind place: QueuePlace?
    ) async throws -> ClaimedJob? {
        let parameters = parameters + (place?.parameters ?? [])
        var statement: ClaimStatement = ofSomeKinds ? .ofSomeKinds : []
        if place != nil { statement.insert(.behindPlace) }
        if let row = try await database.query(statement.text, parameters).first { return try ClaimedJob(row) }
        guard place == nil else { return nil }
        statement.insert(.mindingKeys)
        var tries = 0
        while true {
            do {
                return try await database.query(statement.text, parameters).first.map(ClaimedJob.init)
            } catch let error as PostgresError where error.constraint == "jobs_concurrency_key" && tries < 10 {
                tries += 1
            }
        }
    }

    /// Keeps where the attempt's log is, before the child starts.
    @discardableResult
    public func recordLog(_ lease: Lease, path: String) async throws -> Bool {
        let rows = try await database.query(
            LeaseStatement.recordLog, [lease.job.rawValue, lease.token.rawValue, path])
        return rows.affected == 1
    }

    /// `fraction` in 0…1, what lies outside is moved to the edge. Send at most one a second for a job.
    @discardableResult
    public func reportProgress(_ lease: Lease, fraction: Double, message: String?) async throws -> Bool {
        let fraction = fraction.isNaN ? 0 : min(max(fraction, 0), 1)
        let rows = try await database.query(
            LeaseStatement.progress, [lease.job.rawValue, lease.token.rawValue, fraction, message])
        return rows.affected == 1
    }

    /// Whether the lease still holds, by the database. Ask before publishing files.
    public func holds(_ lease: Lease) async throws -> Bool {
        let rows = try await database.query(LeaseStatement.holds, [lease.job.rawValue, lease.token.rawValue])
        return !rows.isEmpty
    }

    private struct ClaimStatement: OptionSet {
        var rawValue: Int

        static let ofSomeKinds = Self(rawValue: 1)
        static let behindPlace = Self(rawValue: 2)
        /// Passes by jobs whose concurrency key is in use, and takes others that have one. Without it, nothing is taken
        /// when the next job has a key.
        static let mindingKeys = Self(rawValue: 4)

        var text: String { Self.texts[rawValue] }

        private static let texts = (0..<8).map { Self(rawValue: $0).written }

        /// SKIP LOCKED: claimers pass one another by. The order is that of index `jobs_claimable`, so the scan ends at its
        /// first hit. `now()` and not `clock_timestamp()`, which no index can be asked for. One job a statement: a limit
        /// that the planner does not know, or a join, would have the statement planned anew at every call, which costs
        /// more than carrying it out. Of a worker that was declared dead there are no paused queues, so it gets nothing.
        /// `event_implied`: the row itself is the event, see view `job_events`.
        private var written: String {
            var conditions = contains(.ofSomeKinds) ? " AND d.kind = ANY ($3::text[])" : ""
            if contains(.behindPlace) {
                // `QueuePlace.parameters`
                let first = contains(.ofSomeKinds) ? 4 : 3
                conditions +=
                    " AND d.priority = $\(first) AND (d.run_at, d.id) > ($\(first + 1)::timestamptz, $\(first + 2))"
            }
            if contains(.mindingKeys) {
                conditions += """
                     AND (d.concurrency_key IS NULL OR NOT EXISTS (
                        SELECT FROM shufflenet.jobs AS r
                        WHERE r.concurrency_key = d.concurrency_key AND r.state = 'running'))
                    """
            }
            return """
                UPDATE shufflenet.jobs AS j
                SET state = 'running', lease_token = nextval('shufflenet.lease_tokens'), worker_id = $1,
                    attempt = j.attempt + 1, started_at = clock_timestamp(), progress = 0, progress_message = NULL,
                    log_path = NULL, cpu_seconds = NULL, peak_memory_bytes = NULL, event_implied = NOT j.event_implied
                WHERE j.id = (
                    SELECT d.id FROM shufflenet.jobs AS d
                    WHERE d.state = 'available' AND NOT d.intake_pending AND d.waits_for = 0 AND d.run_at <= now()
                        AND d.queue = ANY ($2::text[])\(conditions)
                        AND NOT ((SELECT w.paused_queues FROM shufflenet.workers AS w
                            WHERE w.id = $1 AND w.retired_at IS NULL) @> ARRAY[d.queue::text])
                    ORDER BY d.priority DESC, d.run_at, d.id
                    LIMIT 1
                    FOR UPDATE OF d SKIP LOCKED
                )\(contains(.mindingKeys) ? "" : " AND j.concurrency_key IS NULL")
                RETURNING \(Assignment.columns(of: "j")), j.lease_token, j.priority, j.run_at
                """
        }
    }

    private enum LeaseStatement {
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
