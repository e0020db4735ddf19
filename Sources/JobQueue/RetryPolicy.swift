public import Postgres

/// When a failed attempt is tried again.
public struct RetryPolicy: Sendable, Equatable {
    public var backoff: Backoff

    public init(backoff: Backoff = Backoff(first: .seconds(1), cap: .seconds(600), jitter: 0.25)) {
        self.backoff = backoff
    }

    /// At once.
    static let immediate = RetryPolicy(backoff: Backoff(first: .zero, cap: .zero, jitter: 0))
}
