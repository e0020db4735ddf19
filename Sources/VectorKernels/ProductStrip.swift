internal import Kernels

/// Where a product is: one strip of columns, from its first row to its last.
///
/// While a strip is computed the next one is asked for, a share with each tile: the strip's lines lie a row apart, which
/// no hardware prefetcher follows.
struct ProductStrip<Scalar: LaneScalar> {
    let column: Int
    var row = 0
    var weights: UnsafePointer<Float>
    private var ahead: UnsafePointer<Scalar>
    private var remaining: Int
    private let share: Int
    let fast: FastInnerProduct

    @inline(__always)
    init(_ product: PointwiseProduct<Scalar>, column: Int, share: Int) {
        self.column = column
        self.share = share
        fast = FastInnerProduct(product, column: column)
        weights = UnsafePointer(product.weights.pointer)
        ahead = product.first.pointer + (column + 2 * laneCount)
        remaining = product.first.rows
    }

    /// Asks for the next strip's part of what a tile of `rows` works on.
    @inline(__always)
    mutating func prefetch(_ product: PointwiseProduct<Scalar>, rows: Int) {
        let count = min(share, remaining)
        remaining -= count
        for _ in 0..<count {
            ahead.prefetchPair(0)
            ahead += product.first.stride
        }
        var out = UnsafePointer(product.out) + (row * product.outStride + column + 2 * laneCount)
        for _ in 0..<rows {
            out.prefetchPair(0)
            out += product.outStride
        }
        if let addend = product.addend, addend != UnsafePointer(product.out) {
            var line = addend + (row * product.addendStride + column + 2 * laneCount)
            for _ in 0..<rows {
                line.prefetchPair(0)
                line += product.addendStride
            }
        }
    }
}
