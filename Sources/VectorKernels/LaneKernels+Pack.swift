internal import CLanes
internal import Kernels

extension LaneActivationKernels {
    func pack(_ blocks: [WeightBlock], into weights: PackedWeights, inputSize: Float?) {
        let tiles = RowTiles(rows: weights.rows)
        var target = weights.pointer
        for tile in 0..<tiles.count {
            for block in blocks {
                let part = PackedTile<Scalar>(
                    block: block, matrixRows: weights.rows, rows: tiles.rows(tile), target: target)
                part.fill()
                target += part.steps * part.rows.count
            }
        }
        guard Scalar.hasFastInnerProduct else { return }
        let tail = FastWeights(weights)
        if prefersFastInnerProducts, blocks.count == 1, let inputSize {
            tail.fill(inputSize: inputSize)
        } else {
            tail.clear()
        }
    }
}

/// The weights of one tile from one block, `[steps][rows]`.
private struct PackedTile<Scalar: LaneScalar> {
    let block: WeightBlock
    let matrixRows: Int
    let rows: Range<Int>
    let target: UnsafeMutablePointer<Float>

    var steps: Int { Scalar.steps(block.columns) }

    func fill() {
        if block.columnStride == 1 {
            fillFromRows()
        } else if block.rowStride == 1 {
            fillFromColumns()
        } else {
            fill(0..<steps)
        }
    }

    private func weights(_ row: Int, _ step: Int) -> UnsafePointer<Float> {
        block.pointer + (row * block.rowStride + step * Scalar.weightStep * block.columnStride)
    }

    private func fill(_ steps: Range<Int>) {
        for step in steps {
            let hasNext = (step + 1) * Scalar.weightStep <= block.columns
            for row in rows {
                let weights = weights(row, step)
                target[step * rows.count + (row - rows.lowerBound)] =
                    Scalar.pack(weights[0], hasNext ? weights[(Scalar.weightStep - 1) * block.columnStride] : 0)
            }
        }
    }

    /// A row's weights lie side by side: a vector of steps of one row at a time.
    private func fillFromRows() {
        let whole = block.columns / (Scalar.weightStep * laneCount) * laneCount
        for row in rows {
            var place = target + (row - rows.lowerBound)
            for step in stride(from: 0, to: whole, by: laneCount) {
                let start = weights(row, step)
                let pair = Scalar.weightStep == 1 ? (even: start.lanes(0), odd: Lanes.zero) : start.split(0)
                let packed = Scalar.pack(pair.even, pair.odd)
                for lane in 0..<laneCount {
                    place.pointee = packed[lane]
                    place += rows.count
                }
            }
        }
        fill(whole..<steps)
    }

    /// A column's weights lie side by side: a vector of rows of one step at a time, as long as none past the matrix's end
    /// is read. What it stores too much the next step overwrites.
    private func fillFromColumns() {
        let count = rows.count
        let last = Scalar.weightStep - 1
        let end = (block.columns - 1) * block.columnStride + matrixRows
        var step = 0
        while (step * Scalar.weightStep + last) * block.columnStride + rows.lowerBound + laneCount <= end {
            let start = weights(rows.lowerBound, step)
            let packed = Scalar.pack(start.lanes(0), start.lanes(last * block.columnStride))
            target.store(packed, step * count, before: steps * count)
            step += 1
        }
        fill(step..<steps)
    }
}
