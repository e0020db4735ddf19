internal import Logging
internal import Postgres

extension JobStore {
    /// Takes up to `limit` due jobs, highest priority first, up to eight in ONE statement that is committed at once.
    ///
    /// Empty if nothing is due, or if the worker was declared dead meanwhile (then the heartbeat says so too).
    ///
    /// - Parameter place: where the claim before found its job: this one looks behind it first, and at the front only if
    ///   too little is there. While a transaction is held open somewhere, the ones taken can't be cleared out of the index,
    ///   and every look from the front wades through all of them. What has come in front meanwhile (a higher priority, a
    ///   job that was given back) is not seen, so give none after a hint, nor for long.
    public func claimAvailable(
        _ limit: Int, for worker: WorkerID, queues: [String] = ["default"], behind place: QueuePlace? = nil
    ) async throws -> [ClaimedJob] {
        let parameters: [any PostgresParameter] = [worker.rawValue, queues]
        var claims: [ClaimedJob] = []
        var place = place
        do {
            while claims.count < limit {
                let (found, mayBeMore) = try await claim(
                    ClaimStatement.count(atMost: limit - claims.count), parameters, behind: place)
                claims += found
                if mayBeMore {
                    place = found.last?.place
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
    /// takes the next jobs only if none of them has one. If it takes nothing, a second one looks closely at one job after
    /// the other, from the front.
    ///
    /// Two claimers can find two jobs of one concurrency key at the same moment; `shufflenet.take_key` and the unique index
    /// let one of them have it. The other looks again and sees the key in use.
    private func claim(
        _ count: Int, _ parameters: [any PostgresParameter], behind place: QueuePlace?
    ) async throws -> (found: [ClaimedJob], mayBeMore: Bool) {
        let found = try await database.query([ClaimStatement.taking(count, parameters, behind: place)])[0]
            .map(ClaimedJob.init)
        guard found.isEmpty, place == nil else { return (found, found.count == count) }
        let closely = ClaimStatement.taking(1, .mindingKeys)
        var tries = 0
        while true {
            do {
                let found = try await database.query(closely, parameters).map(ClaimedJob.init)
                return (found, !found.isEmpty)
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

extension ClaimStatement {
    /// - Parameter parameters: the worker and its queues; the place's follow.
    static func taking(
        _ count: Int, _ parameters: [any PostgresParameter], behind place: QueuePlace?
    ) -> Statement {
        guard let place else { return Statement(taking(count, []), parameters) }
        return Statement(
            taking(count, .behindPlace), parameters + [place.priority, place.runAt, place.job.rawValue])
    }
}

extension ClaimedJob {
    init(_ row: Row) throws {
        job = try Assignment(row)
        lease = Lease(job: job.id, token: LeaseToken(try row.decode("lease_token")))
        // As text: a Date's fraction of a second is not exact, and many jobs can have the very same time.
        place = QueuePlace(priority: try row.decode("priority"), runAt: try row.decode("run_at"), job: job.id)
    }
}
