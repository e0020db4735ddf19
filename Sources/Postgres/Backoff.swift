/// Waiting times that double up to a cap, with jitter so that many clients do not come back in step.
public struct Backoff: Sendable, Equatable {
    public var first: Duration
    public var cap: Duration
    /// The part of the waiting time that is left to chance, 0…1.
    public var jitter: Double

    public init(first: Duration, cap: Duration, jitter: Double = 0.25) {
        self.first = first
        self.cap = cap
        self.jitter = jitter
    }

    /// The wait before try number `failures` + 1, for `failures` ≥ 1: between (1 − jitter) and 1 times the doubled one.
    public func delay(afterFailures failures: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        guard failures > 0 else { return .zero }
        let doubled = min(first * (1 << min(failures - 1, 30)), cap)
        return doubled * (1 - Double.random(in: 0...1, using: &generator) * jitter)
    }

    public func delay(afterFailures failures: Int) -> Duration {
        var generator = SystemRandomNumberGenerator()
        return delay(afterFailures: failures, using: &generator)
    }
}
