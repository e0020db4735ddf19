internal import Kernels

extension LaneActivationKernels {
    /// Tiles of some rows of `left` by four of `right`: their sums in registers, their totals taken four at a time.
    /// The side with fewer rows is gone through again and again, so that it stays in cache.
    func correlate(_ task: RowCorrelation<Scalar>) {
        if task.left.rows > task.right.rows {
            for row in stride(from: 0, to: task.left.rows, by: CorrelationRows.largest) {
                for column in stride(from: 0, to: task.right.rows, by: 4) { run(task, row, column) }
            }
        } else {
            for column in stride(from: 0, to: task.right.rows, by: 4) {
                for row in stride(from: 0, to: task.left.rows, by: CorrelationRows.largest) { run(task, row, column) }
            }
        }
    }

    @inline(__always)
    private func run(_ task: RowCorrelation<Scalar>, _ row: Int, _ column: Int) {
        switch min(task.left.rows - row, CorrelationRows.largest) {
        case 1: CorrelationTile<1, Scalar>.run(task, row: row, column: column)
        case 2: CorrelationTile<2, Scalar>.run(task, row: row, column: column)
        case 3: CorrelationTile<3, Scalar>.run(task, row: row, column: column)
        #if WIDE_LANES
            case 4: CorrelationTile<4, Scalar>.run(task, row: row, column: column)
            case 5: CorrelationTile<5, Scalar>.run(task, row: row, column: column)
            case 6: CorrelationTile<6, Scalar>.run(task, row: row, column: column)
        #endif
        case let rows: preconditionFailure("no tile has \(rows) rows")
        }
    }
}

private enum CorrelationRows {
    /// Rows of the largest tile: its sums fill 12 of 16 registers, or 24 of 32.
    static var largest: Int {
        #if WIDE_LANES
            6
        #else
            3
        #endif
    }
}

private struct CorrelationTile<let rows: Int, Scalar: LaneScalar> {
    @inline(never)
    static func run(_ task: RowCorrelation<Scalar>, row: Int, column: Int) {
        let width = min(4, task.right.rows - column)
        let left = InlineArray<rows, UnsafePointer<Scalar>> { task.left.pointer + (row + $0) * task.left.stride }
        // Past the last row the tile takes it again; those sums are not stored.
        let right = InlineArray<4, UnsafePointer<Scalar>> {
            task.right.pointer + (column + min($0, width - 1)) * task.right.stride
        }

        var sums = TileSums<rows, 4> { _ in InlineArray { _ in Lanes.zero } }
        var index = 0
        while index + Scalar.correlationStep <= task.columns {
            Scalar.correlate(&sums, left, right, index)
            index += Scalar.correlationStep
        }
        while index < task.columns {
            let rest = task.columns - index
            Scalar.correlate(&sums, left, right) { ($0 + index).lanes(0).keeping(first: rest) }
            index += laneCount
        }

        for index in 0..<rows {
            let totals = Lanes.totals(sums[index][0], sums[index][1], sums[index][2], sums[index][3])
            let out = task.out + ((row + index) * task.outStride + column)
            for lane in 0..<width { out[lane] = task.accumulates ? out[lane] + totals[lane] : totals[lane] }
        }
    }
}
