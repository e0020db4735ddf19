/// A 1×1 convolution of one group: `out = rectify(bias + W·x + addend)` over `columns` of channel-major matrices.
///
/// x may lie in two places: the first `first.rows` inputs of each output in `first`, the rest in `second`.
public struct PointwiseProduct {
    /// Some channels' rows: `rows` of them, `stride` elements apart.
    public struct Input {
        public var pointer: UnsafePointer<Float>
        public var stride: Int
        public var rows: Int

        public init(_ pointer: UnsafePointer<Float>, stride: Int, rows: Int) {
            self.pointer = pointer
            self.stride = stride
            self.rows = rows
        }
    }

    /// W `[rows][first.rows + second.rows]` as the kernel set's `pack` orders it.
    public var weights: UnsafePointer<Float>
    public var rows: Int
    public var columns: Int
    public var first: Input
    public var second: Input?
    /// `[rows]`; nil is zero.
    public var bias: UnsafePointer<Float>?
    /// Rows to add, `addendStride` apart; may be `out` itself.
    public var addend: UnsafePointer<Float>?
    public var addendStride = 0
    /// Negative sums become zero; NaN stays NaN.
    public var isRectified = false
    public var out: UnsafeMutablePointer<Float>
    public var outStride: Int
    /// False: the last vector of each row is stored whole, up to 15 elements past the last column.
    public var endsExactly = false

    public init(
        _ weights: UnsafePointer<Float>, rows: Int, columns: Int, _ first: Input,
        out: UnsafeMutablePointer<Float>, outStride: Int
    ) {
        self.weights = weights
        self.rows = rows
        self.columns = columns
        self.first = first
        self.out = out
        self.outStride = outStride
    }

    /// The plain form, from weights in rows of `first.rows + second.rows`.
    public func reference(weights: UnsafePointer<Float>) {
        let inner = first.rows + (second?.rows ?? 0)
        for row in 0..<rows {
            for column in 0..<columns {
                var sum = Double(bias?[row] ?? 0)
                for index in 0..<first.rows {
                    sum += Double(weights[row * inner + index]) * Double(first.pointer[index * first.stride + column])
                }
                if let second {
                    for index in 0..<second.rows {
                        let value = Double(second.pointer[index * second.stride + column])
                        sum += Double(weights[row * inner + first.rows + index]) * value
                    }
                }
                if let addend { sum += Double(addend[row * addendStride + column]) }
                out[row * outStride + column] = Float(isRectified ? max(sum, 0) : sum)
            }
        }
    }
}

/// Which part of a matrix of weights to pack, and how it lies: element (row, column) at `row·rowStride +
/// column·columnStride`, so that a transposed matrix is packed as it is.
public struct WeightBlock {
    public var pointer: UnsafePointer<Float>
    public var rowStride: Int
    public var columnStride: Int
    public var columns: Int

    public init(_ pointer: UnsafePointer<Float>, rowStride: Int, columnStride: Int = 1, columns: Int) {
        self.pointer = pointer
        self.rowStride = rowStride
        self.columnStride = columnStride
        self.columns = columns
    }
}
