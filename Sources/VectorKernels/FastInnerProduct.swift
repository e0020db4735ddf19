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
// lost of the smaller one is lost of the sum. Columns where x is far larger than that, or no number, have plain sums: what a
// column's sums are depends on nothing but the column.

/// What the tiles of a strip of columns share to have their sums made that way.
struct FastInnerProduct {
    /// What the sums are multiplied by at the end, as W was divided by it; zero if they are made plainly.
    let scale: Float
    /// Σ (w₃w₄ − w₁w₂) of each row of W.
    private let weightSums: UnsafePointer<Float>
    /// Σ (x₃x₄ − x₁x₂) of the columns of two vectors.
    private var inputSums = InlineArray<2, Lanes> { _ in Lanes.zero }
    /// Whether some columns need plain sums, which `NarrowProduct` makes.
    private(set) var isMixed = false

    /// Rows of a tile of `rows` that are made so, the first ones.
    @inline(__always)
    static func crossedRows(of rows: Int) -> Int { 2 * rows / 3 }

    /// Columns of W of which the terms that do not belong cancel.
    static var period: Int { 4 }

    @inline(__always)
    var isUsed: Bool { scale != 0 }

    @inline(__always)
    init<Scalar: LaneScalar>(_ product: PointwiseProduct<Scalar>, column: Int) {
        let tail = FastWeights(product.weights)
        weightSums = tail.sums
        scale = Scalar.hasFastInnerProduct ? tail.scale : 0
        if isUsed { measure(product.first, column, limit: tail.limit) }
    }

    @inline(never)
    private mutating func measure<Scalar: LaneScalar>(
        _ input: PointwiseProduct<Scalar>.Input, _ column: Int, limit: Float
    ) {
        var terms = InputTerms<2>()
        var values = input.pointer + column
        for _ in 0..<input.rows / Self.period {
            terms.takeAdded(Scalar.line(values), Scalar.line(values + input.stride))
            terms.takeSubtracted(Scalar.line(values + 2 * input.stride), Scalar.line(values + 3 * input.stride))
            values += Self.period * input.stride
        }
        inputSums = terms.crossed
        let isOver = terms.isOver(limit, 0) .| terms.isOver(limit, 1)
        isMixed = Lanes.zero.replacing(with: 1, where: isOver).total != 0
    }

    /// `sums = W·x` for the tile whose first row is `row`, without the factor.
    @inline(__always)
    func sum<let rows: Int, let vectors: Int, Scalar: LaneScalar>(
        _ input: PointwiseProduct<Scalar>.Input, _ column: Int, row: Int, _ weights: inout UnsafePointer<Float>,
        _ sums: inout TileSums<rows, vectors>
    ) {
        let crossed = Self.crossedRows(of: rows)
        for index in 0..<crossed {
            for vector in 0..<vectors { sums[index][vector] = Lanes(repeating: weightSums[row + index]) }
        }
        var values = input.pointer + column
        for _ in 0..<input.rows / Self.period {
            var first: InlineArray<vectors, Lanes> = Scalar.line(values)
            var second: InlineArray<vectors, Lanes> = Scalar.line(values + input.stride)
            for index in 0..<crossed {
                for vector in 0..<vectors {
                    sums[index][vector] = sums[index][vector].addingCrossed(
                        second[vector], first[vector], weights + index, weights + (rows + index))
                }
            }
            Self.addPlainly(first, second, &sums, weights)
            weights += 2 * rows
            first = Scalar.line(values + 2 * input.stride)
            second = Scalar.line(values + 3 * input.stride)
            for index in 0..<crossed {
                for vector in 0..<vectors {
                    sums[index][vector] = sums[index][vector].subtractingCrossed(
                        second[vector], first[vector], weights + index, weights + (rows + index))
                }
            }
            Self.addPlainly(first, second, &sums, weights)
            weights += 2 * rows
            values += Self.period * input.stride
        }
        for _ in 0..<input.rows % Self.period {
            let line: InlineArray<vectors, Lanes> = Scalar.line(values)
            for index in 0..<rows {
                for vector in 0..<vectors {
                    sums[index][vector] = sums[index][vector].addingSpread(line[vector], weights + index)
                }
            }
            weights += rows
            values += input.stride
        }
        for index in 0..<crossed {
            for vector in 0..<vectors { sums[index][vector] += inputSums[vector] }
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
