internal import Kernels

/// Packed weights for `FastInnerProduct`: W times a power of two, behind it Σ (w₃w₄ − w₁w₂) of each row, then what takes the
/// power out again, or zero where W is as it was and sums are made plainly, and the limit of Σ x² of a column.
struct FastWeights {
    private let weights: PackedWeights
    private let tail: UnsafeMutablePointer<Float>

    init(_ weights: PackedWeights) {
        self.weights = weights
        tail = weights.pointer + weights.rows * weights.columns
    }

    var sums: UnsafePointer<Float> { UnsafePointer(tail) }
    var scale: Float { tail[weights.rows] }
    var limit: Float { tail[weights.rows + 1] }

    /// For plain sums.
    func clear() { tail[weights.rows] = 0 }

    /// Scales packed weights to the size of their inputs and sums up their rows' terms. Of weights or sizes whose squares
    /// leave the range of floats the sums stay plain ones.
    func fill(inputSize: Float) {
        clear()
        let size = weightSize
        let range: ClosedRange<Float> = 1e-12...1e12
        guard range.contains(size), range.contains(inputSize) else { return }
        // A power of two, so that nothing is rounded. Most is lost where inputs are far larger than their root mean square,
        // hence the factor: photographs' logits lose half of what they do with one, a third of what with sixteen.
        let scale = Float(sign: .plus, exponent: (4 * inputSize / size).exponent, significand: 1)
        for index in stride(from: 0, to: count, by: laneCount) {
            weights.pointer.store(weights.pointer.lanes(index) * scale, index, before: count)
        }
        let period = FastInnerProduct.period
        let steps = weights.columns / period * period
        let tiles = RowTiles(rows: weights.rows)
        for tile in 0..<tiles.count {
            let rows = tiles.rows(tile)
            let start = weights.pointer + rows.lowerBound * weights.columns
            var sums = Lanes.zero
            for step in stride(from: 0, to: steps, by: period) {
                func lanes(_ index: Int) -> Lanes { start.lanes((step + index) * rows.count) }
                sums += lanes(2) * lanes(3) - lanes(0) * lanes(1)
            }
            tail.store(sums, rows.lowerBound, before: rows.upperBound)
        }
        tail[weights.rows] = 1 / scale
        // There sums lose a digit.
        let largest = 32 * inputSize
        tail[weights.rows + 1] = largest * largest * Float(max(steps, 1))
    }

    private var count: Int { weights.rows * weights.columns }

    /// Root mean square.
    private var weightSize: Float {
        let whole = count / laneCount * laneCount
        var sums = Lanes.zero
        for index in stride(from: 0, to: whole, by: laneCount) {
            sums = multiplyAdd(sums, weights.pointer.lanes(index), weights.pointer.lanes(index))
        }
        let squares = (whole..<count).reduce(sums.total) { $0 + weights.pointer[$1] * weights.pointer[$1] }
        return (squares / Float(max(count, 1))).squareRoot()
    }
}
