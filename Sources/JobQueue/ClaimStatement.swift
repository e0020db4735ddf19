/// The texts of a claim. Each is prepared once a connection, so there are few of them, made at the start.
///
/// SKIP LOCKED: claimers pass one another by. The order is that of index `jobs_claimable`, so the scan ends at its first
/// hits. `now()` and not `clock_timestamp()`, which no index can be asked for. The number of jobs stands in the text: for
/// a limit that the planner does not know the statement would be planned anew at every call, which costs more than carrying
/// it out. Of a worker that was declared dead there are no paused queues, so it gets nothing. `event_implied`: the row
/// itself is the event, see view `job_events`.
enum ClaimStatement {
    struct Options: OptionSet {
        var rawValue: Int

        /// Of the place that `taking(_:_:behind:)` appends.
        static let behindPlace = Self(rawValue: 1)
        /// Passes by jobs whose concurrency key is in use by another whole job, and takes others that have one. Without it,
        /// nothing is taken when one of the next jobs has a key. For one job at a time: two of one statement could have the
        /// same key. Fails with the constraint `jobs_concurrency_key` if a claim of the same moment has taken the key.
        static let mindingKeys = Self(rawValue: 2)
    }

    /// - Parameter count: one of `counts`.
    static func taking(_ count: Int, _ options: Options) -> String {
        texts[count.trailingZeroBitCount][options.rawValue]
    }

    /// The most jobs that one statement takes, if no more than `limit` are wanted.
    static func count(atMost limit: Int) -> Int { counts.last { $0 <= limit } ?? 1 }

    /// Powers of two. In one statement eight jobs cost a quarter of what they cost one by one; more would keep those
    /// rows locked that other daemons pass by meanwhile, for little.
    private static let counts = [1, 2, 4, 8]

    private static let texts = counts.map { count in
        count == 1
            ? (0..<4).map { one(Options(rawValue: $0)) }
            : (0..<Options.mindingKeys.rawValue).map { several(count, Options(rawValue: $0)) }
    }

    /// What `several` would be for one job, without the work of keeping rows apart and in order.
    private static func one(_ options: Options) -> String {
        """
        UPDATE shufflenet.jobs AS j \(changes)
        WHERE j.id = (SELECT d.id FROM \(due(options)) LIMIT 1 FOR UPDATE OF d SKIP LOCKED)\
         AND (j.concurrency_key IS NULL\(options.contains(.mindingKeys) ? " OR \(takesKey)" : ""))
        RETURNING \(answer)
        """
    }

    private static func several(_ count: Int, _ options: Options) -> String {
        """
        WITH due AS MATERIALIZED (
            SELECT d.id, d.concurrency_key FROM \(due(options)) LIMIT \(count) FOR UPDATE OF d SKIP LOCKED
        ), taken AS (
            UPDATE shufflenet.jobs AS j \(changes)
            WHERE j.id = ANY (ARRAY(SELECT id FROM due))
                AND NOT EXISTS (SELECT FROM due WHERE concurrency_key IS NOT NULL)
            RETURNING \(answer)
        )
        SELECT * FROM taken ORDER BY priority DESC, run_at, id
        """
    }

    private static let changes = """
        SET state = 'running', lease_token = nextval('shufflenet.lease_tokens'), worker_id = $1,
            attempt = j.attempt + 1, started_at = clock_timestamp(), progress = 0, progress_message = NULL,
            log_path = NULL, cpu_seconds = NULL, peak_memory_bytes = NULL, event_implied = NOT j.event_implied
        """

    /// Looked at for the row that was found alone, and so never with two keys under lock.
    private static let takesKey = "shufflenet.take_key(j.concurrency_key, coalesce(j.parent_id, j.id))"

    private static let answer = "\(Assignment.columns(of: "j")), j.lease_token, j.priority, j.run_at"

    private static func due(_ options: Options) -> String {
        var conditions = ""
        if options.contains(.behindPlace) {
            conditions += " AND d.priority = $3 AND (d.run_at, d.id) > ($4::timestamptz, $5)"
        }
        if options.contains(.mindingKeys) {
            conditions += """
                 AND (d.concurrency_key IS NULL OR NOT EXISTS (
                    SELECT FROM shufflenet.jobs AS r
                    WHERE r.concurrency_key = d.concurrency_key AND r.state = 'running'
                        AND coalesce(r.parent_id, r.id) <> coalesce(d.parent_id, d.id)))
                """
        }
        return """
            shufflenet.jobs AS d
            WHERE d.state = 'available' AND NOT d.intake_pending AND d.waits_for = 0 AND d.run_at <= now()
                AND d.queue = ANY ($2::text[])\(conditions)
                AND NOT ((SELECT p.queues FROM shufflenet.pauses AS p, shufflenet.workers AS w
                    WHERE w.id = $1 AND w.retired_at IS NULL) @> ARRAY[d.queue::text])
            ORDER BY d.priority DESC, d.run_at, d.id
            """
    }
}
