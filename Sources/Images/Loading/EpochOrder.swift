internal import Support

/// The order of an epoch's records: Fisher–Yates, drawn from the seed and the epoch alone.
enum EpochOrder {
    /// Fills `order` with `0..<count`, shuffled or not; keeps its memory.
    static func fill(_ order: inout [Int32], count: Int, shuffled: Bool, seed: UInt64, epoch: Int) {
        order.removeAll(keepingCapacity: true)
        order.append(contentsOf: 0..<Int32(count))
        guard shuffled, count > 1 else { return }
        // Records draw from (epoch, record); -1 is no record.
        var generator = SeededGenerator(seed: seed, stream: epoch, -1)
        for last in stride(from: count - 1, to: 0, by: -1) { order.swapAt(last, generator.below(last + 1)) }
    }
}
