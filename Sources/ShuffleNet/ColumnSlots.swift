/// The fixed partition of a matrix's columns among tasks: it depends on the sizes alone, never on the thread count, so
/// that sums kept for each slot and added in slot order are the same on any machine.
struct ColumnSlots {
    static let maximum = 8
    /// Narrower slots would cost more in partial sums than they gain, but for two of half that width, which two threads can
    /// share.
    private static let minimumWidth = 256
    /// Bytes of the second-level cache that a block may take, and columns it has at the least all the same.
    private static let room = 262_144
    private static let narrowestBlock = 512
    /// Slots and blocks begin at whole cache lines, whichever way activations are stored.
    private static let line = 32

    let columns: Int
    let width: Int
    let count: Int

    init(columns: Int) {
        let wanted = max(1, min(2, 2 * columns / Self.minimumWidth), min(Self.maximum, columns / Self.minimumWidth))
        width = ((columns + wanted - 1) / wanted + Self.line - 1) / Self.line * Self.line
        count = (columns + width - 1) / width
        self.columns = columns
    }

    /// Calls `body` for the blocks of a slot. Blocks are as wide as keeps `rows` of them, stored as `Scalar`, in the
    /// second-level cache.
    @inline(__always)
    func forEachBlock<Scalar>(of slot: Int, rows: Int, as _: Scalar.Type, _ body: (ColumnBlock) -> Void) {
        let room = Self.room / MemoryLayout<Scalar>.stride
        let widest = max(Self.narrowestBlock, min(room / 32, room / max(rows, 1)))
        let end = min((slot + 1) * width, columns)
        var first = slot * width
        // All as wide as each other: a narrow last one would pay for its sums what a wide one pays.
        let count = (end - first + widest - 1) / widest
        let blockWidth = ((end - first + count - 1) / max(count, 1) + Self.line - 1) / Self.line * Self.line
        while first < end {
            let block = min(blockWidth, end - first)
            body(ColumnBlock(first: first, width: block))
            first += block
        }
    }
}

/// Some neighbouring columns of a matrix.
struct ColumnBlock {
    let first: Int
    let width: Int

    var end: Int { first + width }
}
