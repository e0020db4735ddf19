import Support
import Testing

@Suite struct LargerDifferenceTests {
    @Test("The larger of two, and infinity when either is no number, wherever it stands")
    func larger() {
        #expect(largerDifference(1, 2) == 2)
        #expect(largerDifference(2, 1) == 2)
        #expect(largerDifference(1, Float.nan) == .infinity)
        #expect(largerDifference(Float.nan, 1) == .infinity)
        #expect([0, 1, .nan, 3].reduce(0.0, largerDifference) == .infinity)
    }
}
