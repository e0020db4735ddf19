/// Where a job stands. Why it stands there is `FailureReason`.
///
/// ```
/// available → running → completed | failed | cancelled
///     ▲  ▲       │
///     │  └───────┤ retry, rescue, release
///     └── held ◄─┘ three crashes, or a person
/// ```
public enum JobState: String, Sendable, Codable, CaseIterable, CustomStringConvertible {
    /// Waits for a worker; a scheduled or retried one has its `run_at` in the future.
    case available
    /// Leased by a worker.
    case running
    case completed
    case failed
    case cancelled
    /// Waits for a person: `shufflenet.retry(id)`, `shufflenet.release(id)` or `shufflenet.cancel(id)`.
    case held

    /// Whether nothing but a person's `retry` can move the job any more.
    public var isFinal: Bool {
        switch self {
        case .completed, .failed, .cancelled: true
        case .available, .running, .held: false
        }
    }

    public var description: String { rawValue }
}
