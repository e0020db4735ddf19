internal import Foundation
internal import Postgres

extension JobStore {
    /// First half of taking a folder in: makes the row, or finds the one made before for the same `identity`
    /// (whatever state it is in by now). The job is NOT claimable until `confirmSpoolFolder`, so that the row can come
    /// before the rename. Throws for bad args; then no row exists and the folder is to be rejected.
    ///
    /// - Parameters:
    ///   - name: the dropped folder's name.
    ///   - identity: what tells this drop from any other, also from a later one of the same name. Becomes `unique_key`,
    ///     with `spool:` put before it unless it begins so already.
    ///   - args: of `job.yaml`; without `dataset`/`images`, which the folder itself is.
    public func registerSpoolFolder(
        kind: JobKind, name: String, identity: String, args: JSONDocument, queue: String = "default"
    ) async throws -> JobID {
        let key = identity.hasPrefix("spool:") ? identity : "spool:" + identity
        let parameters: [any PostgresParameter] = [kind.rawValue, args.text, name, key, queue]
        let made = try await database.query(SpoolStatement.register, parameters)
        if let row = made.first { return JobID(try row.decode("id")) }
        // Looked for in a statement of its own: one statement would not see what another daemon committed meanwhile.
        guard let row = try await database.query(SpoolStatement.find, [key]).first else {
            throw PostgresError(
                .noData, "the row of dropped folder '\(name)' went away while it was looked for",
                hint: "Try again: somebody deleted the job at this moment.")
        }
        return JobID(try row.decode("id"))
    }

    /// Second half: the folder now lies at `processing/<folder>`. Idempotent. `false` if the job was cancelled
    /// or finished meanwhile; of one that was cancelled before its folder had a place the folder is noted as not settled.
    @discardableResult
    public func confirmSpoolFolder(_ job: JobID, folder: String) async throws -> Bool {
        if try await database.query(SpoolStatement.confirm, [job.rawValue, folder]).affected == 1 { return true }
        try await database.query(SpoolStatement.reopen, [job.rawValue, folder])
        return false
    }

    /// Third, after the job has ended: its folder lies in `done/` or `rejected/`, and nobody has to look again.
    /// Idempotent. Such a job can't be retried any more.
    public func settleSpoolFolder(_ job: JobID) async throws {
        try await database.query(SpoolStatement.settle, [job.rawValue])
    }

    /// Spool jobs for the reconciliation at start: rows that are unconfirmed, and rows not yet settled.
    public func spoolJobs() async throws -> [Job] {
        try await database.query(SpoolStatement.list).map(Job.init)
    }

    private enum SpoolStatement {
        static let register = """
            INSERT INTO shufflenet.jobs (kind, args, name, unique_key, queue, intake_pending)
            VALUES ($1, $2::jsonb, $3, $4, $5, true)
            ON CONFLICT DO NOTHING RETURNING id
            """

        /// The predicate is that of index `jobs_spool_key`.
        static let find = """
            SELECT id FROM shufflenet.jobs WHERE unique_key = $1 AND left(unique_key, 6) = 'spool:'
            """

        static let confirm = """
            UPDATE shufflenet.jobs SET intake_pending = false, spool_folder = $2
            WHERE id = $1 AND state IN ('available', 'held', 'running') AND (intake_pending OR spool_folder = $2)
            """

        /// Whoever looked between the cancellation and the move found no folder to put away, and settled the row.
        static let reopen = """
            WITH cancelled AS (
                UPDATE shufflenet.jobs SET spool_folder = $2, spool_settled = false, intake_pending = false
                WHERE id = $1 AND left(unique_key, 6) = 'spool:' AND state = 'cancelled' AND spool_folder IS NULL
                RETURNING id)
            INSERT INTO shufflenet.open_folders SELECT id FROM cancelled ON CONFLICT DO NOTHING
            """

        static let settle = """
            UPDATE shufflenet.jobs SET spool_settled = true, intake_pending = false
            WHERE id = $1 AND left(unique_key, 6) = 'spool:' AND state IN ('completed', 'failed', 'cancelled')
            """

        static let list = """
            SELECT \(Job.columns(of: "j")) FROM shufflenet.open_folders AS o JOIN shufflenet.jobs AS j ON j.id = o.job_id
            ORDER BY j.id
            """
    }
}
