internal import CLanes
internal import Kernels

// Half of the products of an inner product can be had for sums (S. Winograd, "A New Algorithm for Inner Product", IEEE
// Transactions on Computers C-17, 1968):
//
//     w₁x₁ + w₂x₂ = (x₂ + w₁)·(x₁ + w₂) − x₁x₂ − w₁w₂
//
// The last two terms are sums over W's rows, which are packed with W, and over x's columns, which serve all rows of W. A CPU
// that adds beside its multiply-adds, in units of their own, is busiest with two thirds of the rows made so, the others
// plainly. Every second pair is made with the signs turned, `−(x₂ − w₁)·(x₁ − w₂) + x₁x₂ + w₁w₂`, so that the terms that do
// not belong cancel while they are added up: x behind a ReLU has only positive ones. W is scaled to the size of x, as what is
// lost of the smaller one is lost of the sum.

/// What the tiles of a strip of columns share to have their sums made that way.
struct FastInnerProduct {
    /// What the sums are multiplied by at the end, as W was divided by it; zero if they are made plainly.
    private let scale: Float
    /// Of each row.
    private let weightSums: UnsafePointer<Float>
    /// Σ (x₃x₄ − x₁x₂) of the columns of two vectors, from the first tile on.
    private var inputSums = InlineArray<2, Lanes> { _ in Lanes.zero }

    /// Rows of a tile of `rows` that are made so, the first ones.
    @inline(__always)
    static func crossedRows(of rows: Int) -> Int { 2 * rows / 3 }

    /// Columns of W of which the terms that do not belong cancel.
    static var period: Int { 4 }

    @inline(__always)
    var isUsed: Bool { scale != 0 }

    @inline(__always)
    init<Scalar: LaneScalar>(_ product: PointwiseProduct<Scalar>) {
        let tail = FastWeights(product.weights)
        weightSums = tail.sums
        scale = Scalar.hasFastInnerProduct ? tail.scale : 0
    }

    /// `sums = W·x` for the tile whose first row is `row`. The first one of a strip makes the sums over x's columns too.
    @inline(__always)
    mutating func sum<let rows: Int, let vectors: Int, Scalar: LaneScalar>(
        _ product: PointwiseProduct<Scalar>, _ column: Int, row: Int, _ weights: inout UnsafePointer<Float>,
        _ sums: inout TileSums<rows, vectors>
    ) {
        let crossed = Self.crossedRows(of: rows)
        for index in 0..<crossed {
            for vector in 0..<vectors { sums[index][vector] = Lanes(repeating: weightSums[row + index]) }
        }
        var terms = InputTerms<vectors>()
        if row == 0 {
            Self.accumulate(&sums, &terms, product.first, column, &weights, gathers: true)
            for vector in 0..<vectors { inputSums[vector] = terms.added[vector] - terms.subtracted[vector] }
        } else {
            Self.accumulate(&sums, &terms, product.first, column, &weights, gathers: false)
        }
        if let second = product.second { Scalar.accumulate(&sums, second, column, &weights) }
        for index in 0..<crossed {
            for vector in 0..<vectors { sums[index][vector] += inputSums[vector] }
        }
        guard let bias = product.bias else {
            for index in 0..<rows {
                for vector in 0..<vectors { sums[index][vector] *= scale }
            }
            return
        }
        for index in 0..<rows {
            let bias = Lanes(repeating: bias[row + index])
            for vector in 0..<vectors {
                sums[index][vector] = multiplyAdd(bias, sums[index][vector], Lanes(repeating: scale))
            }
        }
    }

    /// The products of rows of x with each other.
    private struct InputTerms<let vectors: Int> {
        var added = InlineArray<vectors, Lanes> { _ in Lanes.zero }
        var subtracted = InlineArray<vectors, Lanes> { _ in Lanes.zero }
    }

    @inline(__always)
    private static func accumulate<let rows: Int, let vectors: Int, Scalar: LaneScalar>(
        _ sums: inout TileSums<rows, vectors>, _ terms: inout InputTerms<vectors>,
        _ input: PointwiseProduct<Scalar>.Input, _ column: Int, _ weights: inout UnsafePointer<Float>, gathers: Bool
    ) {
        let crossed = crossedRows(of: rows)
        var values = input.pointer + column
        for _ in 0..<input.rows / period {
            var first: InlineArray<vectors, Lanes> = Scalar.line(values)
            var second: InlineArray<vectors, Lanes> = Scalar.line(values + input.stride)
            for index in 0..<crossed {
                for vector in 0..<vectors {
                    sums[index][vector] = sums[index][vector].addingCrossed(
                        second[vector], first[vector], weights + index, weights + (rows + index))
                }
            }
            addPlainly(first, second, &sums, weights)
            if gathers {
                for vector in 0..<vectors {
                    terms.subtracted[vector] = multiplyAdd(terms.subtracted[vector], first[vector], second[vector])
                }
            }
            weights += 2 * rows
            first = Scalar.line(values + 2 * input.stride)
            second = Scalar.line(values + 3 * input.stride)
            for index in 0..<crossed {
                for vector in 0..<vectors {
                    sums[index][vector] = sums[index][vector].subtractingCrossed(
                        second[vector], first[vector], weights + index, weights + (rows + index))
                }
            }
            addPlainly(first, second, &sums, weights)
            if gathers {
                for vector in 0..<vectors {
                    terms.added[vector] = multiplyAdd(terms.added[vector], first[vector], second[vector])
                }
            }
            weights += 2 * rows
            values += period * input.stride
        }
        for _ in 0..<input.rows % period {
            let line: InlineArray<vectors, Lanes> = Scalar.line(values)
            for index in 0..<rows {
                for vector in 0..<vectors {
                    sums[index][vector] = sums[index][vector].addingSpread(line[vector], weights + index)
                }
            }
            weights += rows
            values += input.stride
        }
    }

    /// The rows that are not made by the trick.
    @inline(__always)
    private static func addPlainly<let rows: Int, let vectors: Int>(
        _ first: InlineArray<vectors, Lanes>, _ second: InlineArray<vectors, Lanes>,
        _ sums: inout TileSums<rows, vectors>, _ weights: UnsafePointer<Float>
    ) {
        for index in crossedRows(of: rows)..<rows {
            for vector in 0..<vectors {
                let sum = sums[index][vector].addingSpread(first[vector], weights + index)
                sums[index][vector] = sum.addingSpread(second[vector], weights + (rows + index))
            }
        }
    }
}

/// What is packed behind W: the sums of its rows, and the factor of all.
struct FastWeights {
    private let weights: PackedWeights
    private let tail: UnsafeMutablePointer<Float>

    init(_ weights: PackedWeights) {
        self.weights = weights
        tail = weights.pointer + weights.rows * weights.columns
    }

    var sums: UnsafePointer<Float> { UnsafePointer(tail) }
    var scale: Float { tail[weights.rows] }

    /// For plain sums.
    func clear() { tail[weights.rows] = 0 }

    /// Scales packed weights to the size of their inputs and sums up their rows' terms, of the first `inputColumns`. Of
    /// weights or sizes whose squares leave the range of floats the sums stay plain ones.
    func fill(inputColumns: Int, inputSize: Float) {
        clear()
        let size = weightSize(inputColumns)
        let range: ClosedRange<Float> = 1e-12...1e12
        guard range.contains(size), range.contains(inputSize) else { return }
        // A power of two, so that nothing is rounded. Most is lost where inputs are far larger than their root mean square,
        // hence the factor: photographs' logits lose half of what they do with one, a third of what with sixteen.
        let scale = Float(sign: .plus, exponent: (4 * inputSize / size).exponent, significand: 1)
        let count = weights.rows * weights.columns
        for index in stride(from: 0, to: count, by: laneCount) {
            weights.pointer.store(weights.pointer.lanes(index) * scale, index, before: count)
        }
        let period = FastInnerProduct.period
        forEachTile { rows, start in
            var sums = Lanes.zero
            for step in stride(from: 0, to: inputColumns / period * period, by: period) {
                func lanes(_ index: Int) -> Lanes { start.lanes((step + index) * rows.count) }
                sums += lanes(2) * lanes(3) - lanes(0) * lanes(1)
            }
            tail.store(sums, rows.lowerBound, before: rows.upperBound)
        }
        tail[weights.rows] = 1 / scale
    }

    /// Root mean square.
    private func weightSize(_ inputColumns: Int) -> Float {
        var squares: Float = 0
        forEachTile { rows, start in
            let count = rows.count * inputColumns
            let whole = count / laneCount * laneCount
            var sums = Lanes.zero
            for index in stride(from: 0, to: whole, by: laneCount) {
                sums = multiplyAdd(sums, start.lanes(index), start.lanes(index))
            }
            squares += (whole..<count).reduce(sums.total) { $0 + start[$1] * start[$1] }
        }
        return (squares / Float(max(weights.rows * inputColumns, 1))).squareRoot()
    }

    private func forEachTile(_ body: (_ rows: Range<Int>, _ start: UnsafeMutablePointer<Float>) -> Void) {
        let tiles = RowTiles(rows: weights.rows)
        for tile in 0..<tiles.count {
            let rows = tiles.rows(tile)
            body(rows, weights.pointer + rows.lowerBound * weights.columns)
        }
    }
}
