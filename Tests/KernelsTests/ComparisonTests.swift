import TestSupport
import Testing

@Suite(.oneAtATime) struct ComparisonTests {
    @Test("One planted error among many values is noticed")
    func plantedErrorFails() {
        let right = noise(1000)
        var wrong = right
        wrong[617] += 1e-4
        #expect(isClose(right, right))
        #expect(!isClose(wrong, right))
    }

    @Test("A missing value, a NaN and a write past the end are noticed")
    func otherErrorsFail() {
        let right = noise(10)
        #expect(!isClose(Array(right.dropLast()), right))
        var wrong = right
        wrong[3] = .nan
        #expect(!isClose(wrong, right))
        let guarded = Guarded(right)
        #expect(guarded.isIntact)
        guarded.pointer[guarded.count] = 0
        #expect(!guarded.isIntact)
    }
}
