internal import Postgres

/// How a run ends when it completes.
struct Completion: Sendable {
    var lease: Lease
    var result: JSONDocument?
    var outputPath: String?
    var usage: AttemptUsage

    /// Those of `statement`, in order.
    var parameters: [any PostgresParameter] {
        [
            lease.job.rawValue, lease.token.rawValue, result?.text, outputPath, usage.cpuSeconds, usage.peakMemoryBytes,
        ]
    }

    /// A completed job carries no reason of an earlier attempt. The row itself is the event (see view `job_events`), unless
    /// the trigger of changes has somebody to wake.
    ///
    /// - Parameter others: how many parameters of somebody else's come before these.
    static func statement(after others: Int = 0) -> String {
        let parameter = (1...6).map { "$\(others + $0)" }
        return """
            UPDATE shufflenet.jobs
            SET state = 'completed', reason = NULL, error = NULL, result = \(parameter[2])::jsonb,
                output_path = \(parameter[3]), progress = 1, finished_at = clock_timestamp(), cpu_seconds = \(parameter[4]),
                peak_memory_bytes = \(parameter[5]),
                event_implied = event_implied <> (NOT has_dependants AND concurrency_key IS NULL)
            WHERE id = \(parameter[0]) AND lease_token = \(parameter[1]) AND state = 'running'
            """
    }
}
