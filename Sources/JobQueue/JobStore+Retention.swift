internal import Postgres

extension JobStore {
    /// Deletes jobs that ended longer ago than `age`, with their events, and workers that retired as long ago and that no
    /// job names any more; at most `limit` jobs, and returns how many. What somebody still needs stays: folders not yet put in their place, shards
    /// and jobs that an unfinished one waits for.
    public func forgetEnded(olderThan age: Duration, limit: Int = 500) async throws -> Int {
        let forgotten = try await database.query(RetentionStatement.forgetJobs, [age.seconds, limit]).affected
        try await database.query(RetentionStatement.forgetWorkers, [age.seconds])
        return forgotten
    }

    /// Which of these jobs have no row any more.
    public func missing(among jobs: [JobID]) async throws -> Set<JobID> {
        let rows = try await database.query(RetentionStatement.missing, [jobs.map(\.rawValue)])
        return try Set(rows.map { JobID(try $0.decode("id")) })
    }

    private enum RetentionStatement {
        static let forgetJobs = """
            WITH old AS MATERIALIZED (
                SELECT j.id FROM shufflenet.jobs AS j
                WHERE j.finished_at < clock_timestamp() - make_interval(secs => $1::float8)
                    AND NOT j.intake_pending AND (j.spool_folder IS NULL OR j.spool_settled)
                    AND (NOT j.has_dependants OR NOT EXISTS (
                        SELECT FROM shufflenet.jobs AS w WHERE w.after @> ARRAY[j.id] AND w.finished_at IS NULL))
                ORDER BY j.id LIMIT $2 FOR UPDATE SKIP LOCKED
            )
            DELETE FROM shufflenet.jobs AS j USING old WHERE j.id = old.id
            """

        static let forgetWorkers = """
            DELETE FROM shufflenet.workers AS w
            WHERE w.retired_at < clock_timestamp() - make_interval(secs => $1::float8)
                AND NOT EXISTS (SELECT FROM shufflenet.jobs AS j WHERE j.worker_id = w.id)
            """

        static let missing = """
            SELECT n.id FROM unnest($1::bigint[]) AS n(id)
            WHERE NOT EXISTS (SELECT FROM shufflenet.jobs AS j WHERE j.id = n.id)
            """
    }
}
