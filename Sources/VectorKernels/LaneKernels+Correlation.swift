internal import CLanes
internal import Kernels

extension LaneActivationKernels {
    /// Tiles of some rows of `left` by four of `right`: their sums in registers, their totals taken four at a time.
    /// The taller side of a tile stays in the first-level cache while the other side goes by.
    func correlate(_ task: RowCorrelation<Scalar>) {
        var ahead = task.ahead ?? task.left
        let isSymmetric = task.isSymmetric
        for row in stride(from: 0, to: task.left.rows, by: CorrelationRows.largest) {
            let columns = isSymmetric ? min(row + CorrelationRows.largest, task.right.rows) : task.right.rows
            for column in stride(from: 0, to: columns, by: 4) {
                run(task, row, column, ahead.pointer)
                ahead.rows -= 1
                if ahead.rows > 0 { ahead.pointer += ahead.stride }
            }
        }
        if isSymmetric { task.mirror() }
    }

    @inline(__always)
    private func run(
        _ task: RowCorrelation<Scalar>, _ row: Int, _ column: Int, _ ahead: UnsafePointer<Scalar>
    ) {
        switch min(task.left.rows - row, CorrelationRows.largest) {
        case 1: CorrelationTile<1, Scalar>.run(task, row: row, column: column, ahead: ahead)
        case 2: CorrelationTile<2, Scalar>.run(task, row: row, column: column, ahead: ahead)
        case 3: CorrelationTile<3, Scalar>.run(task, row: row, column: column, ahead: ahead)
        #if WIDE_LANES
            case 4: CorrelationTile<4, Scalar>.run(task, row: row, column: column, ahead: ahead)
            case 5: CorrelationTile<5, Scalar>.run(task, row: row, column: column, ahead: ahead)
        #endif
        case let rows: preconditionFailure("no tile has \(rows) rows")
        }
    }
}

private enum CorrelationRows {
    /// Rows of the largest tile: its sums fill 12 of 16 registers, or 20 of 32.
    static var largest: Int {
        #if WIDE_LANES
            5
        #else
            3
        #endif
    }
}

private struct CorrelationTile<let rows: Int, Scalar: LaneScalar> {
    @inline(never)
    static func run(_ task: RowCorrelation<Scalar>, row: Int, column: Int, ahead: UnsafePointer<Scalar>) {
        let last = min(4, task.right.rows - column) - 1
        let left = InlineArray<rows, UnsafePointer<Scalar>> { task.left.pointer + (row + $0) * task.left.stride }
        // Past the last row the tile takes it again; those sums are not stored.
        let right = InlineArray<4, UnsafePointer<Scalar>> {
            task.right.pointer + (column + min($0, last)) * task.right.stride
        }

        var sums = zeros
        var index = 0
        while index + Scalar.correlationStep <= task.columns {
            clanes_prefetch(ahead + index)
            Scalar.correlate(&sums, left, right, index)
            index += Scalar.correlationStep
        }
        store(sums, task, row, column, accumulates: task.accumulates)
        if index < task.columns { addRest(task, row, column, left, right, from: index) }
    }

    private static var zeros: TileSums<rows, 4> {
        @inline(__always)
        get { TileSums<rows, 4> { _ in InlineArray { _ in Lanes.zero } } }
    }

    /// The totals of every row's four sums to where they belong. Nothing in the loop depends on the row, so that it is
    /// unrolled and the sums stay in their registers.
    @inline(__always)
    private static func store(
        _ sums: TileSums<rows, 4>, _ task: RowCorrelation<Scalar>, _ row: Int, _ column: Int, accumulates: Bool
    ) {
        let totals = InlineArray<rows, SIMD4<Float>> {
            Lanes.totals(sums[$0][0], sums[$0][1], sums[$0][2], sums[$0][3])
        }
        let out = task.out + (row * task.outStride + column)
        let width = task.right.rows - column
        if width < 4 { return store(totals, out, task.outStride, width: width, accumulates: accumulates) }
        for index in 0..<rows {
            let place = UnsafeMutableRawPointer(out + index * task.outStride)
            let before = accumulates ? place.loadUnaligned(as: SIMD4<Float>.self) : .zero
            place.storeBytes(of: before + totals[index], as: SIMD4<Float>.self)
        }
    }

    @inline(never)
    private static func store(
        _ totals: InlineArray<rows, SIMD4<Float>>, _ out: UnsafeMutablePointer<Float>, _ stride: Int, width: Int,
        accumulates: Bool
    ) {
        for index in 0..<rows {
            let out = out + index * stride
            for lane in 0..<width { out[lane] = (accumulates ? out[lane] : 0) + totals[index][lane] }
        }
    }

    /// Adds the totals of the columns that are less than a step. By itself, since the sums of all others would leave
    /// their registers for it.
    @inline(never)
    private static func addRest(
        _ task: RowCorrelation<Scalar>, _ row: Int, _ column: Int,
        _ left: InlineArray<rows, UnsafePointer<Scalar>>, _ right: InlineArray<4, UnsafePointer<Scalar>>,
        from first: Int
    ) {
        var sums = zeros
        for index in stride(from: first, to: task.columns, by: laneCount) {
            let count = task.columns - index
            Scalar.correlate(&sums, left, right) { ($0 + index).lanes(0).keeping(first: count) }
        }
        store(sums, task, row, column, accumulates: true)
    }
}
