internal import Postgres

/// How a run ends when it completes.
struct Completion: Sendable {
    var lease: Lease
    var result: JSONDocument?
    var outputPath: String?
    var usage: AttemptUsage

    /// A completed job carries no reason of an earlier attempt. The row itself is the event (see view `job_events`), unless
    /// the trigger of changes has somebody to wake.
    var statement: Statement {
        Statement(
            """
            UPDATE shufflenet.jobs
            SET state = 'completed', reason = NULL, error = NULL, result = $3::jsonb, output_path = $4, progress = 1,
                progress_message = coalesce($3::jsonb ->> 'summary', progress_message),
                finished_at = clock_timestamp(), cpu_seconds = $5, peak_memory_bytes = $6,
                event_implied = event_implied <> (NOT has_dependants AND concurrency_key IS NULL)
            WHERE id = $1 AND lease_token = $2 AND state = 'running'
            """,
            [
                lease.job.rawValue, lease.token.rawValue, result?.text, outputPath, usage.cpuSeconds,
                usage.peakMemoryBytes,
            ])
    }
}
