import Postgres
import Support
import Testing

@Suite struct BackoffTests {
    @Test func `waits double up to the cap and lose at most the jitter`() {
        let backoff = Backoff(first: .milliseconds(100), cap: .seconds(2), jitter: 0.25)
        var generator = SystemRandomNumberGenerator()
        #expect(backoff.delay(afterFailures: 0, using: &generator) == .zero)
        for (failures, full) in [(1, 100), (2, 200), (3, 400), (5, 1600), (6, 2000), (1000, 2000)] {
            for _ in 0..<50 {
                let delay = backoff.delay(afterFailures: failures, using: &generator)
                #expect(delay <= .milliseconds(full) && delay >= .milliseconds(full) * 0.7499)
            }
        }
    }
}
