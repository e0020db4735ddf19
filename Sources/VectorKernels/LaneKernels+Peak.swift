extension LaneKernels {
    public func exercise(rounds: Int) -> (operations: Int, sum: Float) {
        // More sums than a CPU has multiply-adds in flight: two a cycle, four to five cycles each.
        var sums = InlineArray<12, Lanes>(repeating: Lanes.zero)
        let values = Lanes(repeating: Float(rounds))
        let factors = Lanes(repeating: 1e-9)
        for _ in 0..<rounds {
            for index in 0..<12 { sums[index] = multiplyAdd(sums[index], values, factors) }
        }
        var sum = sums[0]
        for index in 1..<12 { sum += sums[index] }
        return (rounds * 12 * laneCount * 2, sum.total)
    }
}
