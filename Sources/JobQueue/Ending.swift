internal import Foundation
internal import Postgres

/// How a run ends when it does not complete: failure, cancel, release and rescue are one decision, and one statement.
struct Ending: Sendable {
    var reason: FailureReason
    /// A sentence for people.
    var error: String?
    var usage: AttemptUsage
    var policy: RetryPolicy

    /// `$1`…`$10` of `statement`; those of its `held` follow.
    func parameters(_ limits: CrashLimits) -> [any PostgresParameter] {
        let backoff = policy.backoff
        let jitter = 1 - Double.random(in: 0...1) * backoff.jitter
        return [
            reason.rawValue, error, reason.cost.rawValue, limits.crashes, backoff.first.seconds * jitter,
            backoff.cap.seconds * jitter, usage.cpuSeconds, usage.peakMemoryBytes, FailureReason.cancelled.rawValue,
            limits.losses,
        ]
    }

    /// - Parameter held: a query of the jobs to end, all locked, with a column `sentence` for what went wrong.
    ///
    /// The numbers: a failure spends one of `max_attempts`, which are counted from the last `retry()` and without crashes
    /// and losses; a crash spends one of `$4`, a loss one of `$10`; a release gives `attempt` back.
    static func statement(held: String) -> String {
        """
        WITH held AS MATERIALIZED (
            \(held)
        ), decided AS (
            SELECT h.id, h.lease_token, h.sentence, h.attempt - h.attempts_before AS tries,
                CASE
                    WHEN h.cancel_requested OR $1 = $9 THEN 'cancelled'
                    WHEN $3 = 'nothing' THEN 'available'
                    WHEN $3 = 'job' THEN 'failed'
                    WHEN $3 = 'crash' AND h.crash_count + 1 >= $4::integer THEN 'held'
                    WHEN $3 = 'loss' AND h.loss_count + 1 >= $10::integer THEN 'held'
                    WHEN $3 IN ('crash', 'loss') THEN 'available'
                    WHEN h.attempt - h.attempts_before - h.crash_count - h.loss_count >= h.max_attempts THEN 'failed'
                    ELSE 'available'
                END AS next
            FROM held AS h
        ), ended AS (
            UPDATE shufflenet.jobs AS j
            SET state = d.next, cpu_seconds = $7::float8, peak_memory_bytes = $8::bigint,
                reason = CASE WHEN d.next = 'cancelled' THEN $9 ELSE $1 END,
                error = CASE WHEN d.next = 'cancelled' THEN NULL ELSE d.sentence END,
                attempt = j.attempt - CASE WHEN $3 = 'nothing' THEN 1 ELSE 0 END,
                preempt_count = j.preempt_count + CASE WHEN $3 = 'nothing' THEN 1 ELSE 0 END,
                crash_count = j.crash_count + CASE WHEN $3 = 'crash' THEN 1 ELSE 0 END,
                loss_count = j.loss_count + CASE WHEN $3 = 'loss' THEN 1 ELSE 0 END,
                run_at = CASE WHEN d.next = 'available' AND $3 <> 'nothing'
                    THEN clock_timestamp()
                        + make_interval(secs => least($6::float8, $5::float8 * power(2, least(d.tries, 30) - 1)))
                    ELSE j.run_at END,
                finished_at = CASE WHEN d.next IN ('failed', 'cancelled') THEN clock_timestamp() END
            FROM decided AS d
            WHERE j.id = d.id AND j.lease_token = d.lease_token AND j.state = 'running'
            RETURNING j.id, j.lease_token, j.state, j.run_at
        )
        SELECT id, lease_token, state, run_at FROM ended ORDER BY id
        """
    }
}

/// A row of the answer to `Ending.statement`.
struct EndedJob: Sendable {
    var lease: Lease
    var state: JobState
    var runAt: Date

    init(_ row: Row) throws {
        lease = Lease(job: JobID(try row.decode("id")), token: LeaseToken(try row.decode("lease_token")))
        state = try row.decodeCase("state")
        runAt = try row.decode("run_at")
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
