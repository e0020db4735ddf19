public import Kernels

extension LaneKernels {
    /// Tiles of three rows of `left` by four of `right`: twelve sums in registers, their totals taken four at a time.
    /// The side with fewer rows is gone through again and again, so that it stays in cache.
    public func correlate(_ task: RowCorrelation) {
        if task.left.rows > task.right.rows {
            for row in stride(from: 0, to: task.left.rows, by: 3) {
                for column in stride(from: 0, to: task.right.rows, by: 4) { Self.run(task, row, column) }
            }
        } else {
            for column in stride(from: 0, to: task.right.rows, by: 4) {
                for row in stride(from: 0, to: task.left.rows, by: 3) { Self.run(task, row, column) }
            }
        }
    }

    @inline(__always)
    private static func run(_ task: RowCorrelation, _ row: Int, _ column: Int) {
        switch task.left.rows - row {
        case 1: CorrelationTile<1>.run(task, row: row, column: column)
        case 2: CorrelationTile<2>.run(task, row: row, column: column)
        default: CorrelationTile<3>.run(task, row: row, column: column)
        }
    }
}

private struct CorrelationTile<let rows: Int> {
    private typealias Sums = InlineArray<rows, InlineArray<4, Lanes>>

    @inline(never)
    static func run(_ task: RowCorrelation, row: Int, column: Int) {
        let width = min(4, task.right.rows - column)
        var left = InlineArray<rows, UnsafePointer<Float>>(repeating: task.left.pointer)
        for index in 0..<rows { left[index] = task.left.pointer + (row + index) * task.left.stride }
        // Past the last row the tile takes it again; those sums are not stored.
        var right = InlineArray<4, UnsafePointer<Float>>(repeating: task.right.pointer)
        for index in 0..<4 { right[index] = task.right.pointer + (column + min(index, width - 1)) * task.right.stride }

        var sums = Sums(repeating: InlineArray<4, Lanes>(repeating: Lanes.zero))
        var index = 0
        while index + laneCount <= task.columns {
            accumulate(&sums, left, right, index) { $0 }
            index += laneCount
        }
        let rest = task.columns - index
        if rest > 0 { accumulate(&sums, left, right, index) { $0.keeping(first: rest) } }

        for index in 0..<rows {
            let totals = Lanes.totals(sums[index][0], sums[index][1], sums[index][2], sums[index][3])
            let out = task.out + ((row + index) * task.outStride + column)
            for lane in 0..<width { out[lane] = task.accumulates ? out[lane] + totals[lane] : totals[lane] }
        }
    }

    @inline(__always)
    private static func accumulate(
        _ sums: inout Sums, _ left: InlineArray<rows, UnsafePointer<Float>>,
        _ right: InlineArray<4, UnsafePointer<Float>>, _ index: Int, _ load: (Lanes) -> Lanes
    ) {
        var values = InlineArray<rows, Lanes>(repeating: Lanes.zero)
        for row in 0..<rows { values[row] = load(left[row].lanes(index)) }
        for column in 0..<4 {
            let value = load(right[column].lanes(index))
            for row in 0..<rows { sums[row][column] = multiplyAdd(sums[row][column], values[row], value) }
        }
    }
}
