/// A 1×1 convolution of one group: `out = rectify(bias + W·x + addend)` over `columns` of channel-major matrices.
///
/// x may lie in two places: the first `first.rows` inputs of each output in `first`, the rest in `second`.
public struct PointwiseProduct<Scalar: ActivationScalar> {
    /// Some channels' rows: `rows` of them, `stride` elements apart.
    public struct Input {
        public var pointer: UnsafePointer<Scalar>
        public var stride: Int
        public var rows: Int

        public init(_ pointer: UnsafePointer<Scalar>, stride: Int, rows: Int) {
            self.pointer = pointer
            self.stride = stride
            self.rows = rows
        }
    }

    /// W `[rows][first.rows + second.rows]`.
    public var weights: PackedWeights
    public var columns: Int
    public var first: Input
    public var second: Input?
    /// `[rows]`; nil is zero.
    public var bias: UnsafePointer<Float>?
    /// Rows to add, `addendStride` apart; may be `out` itself.
    public var addend: UnsafePointer<Scalar>?
    public var addendStride = 0
    /// Negative sums become zero; NaN stays NaN.
    public var isRectified = false
    public var out: UnsafeMutablePointer<Scalar>
    public var outStride: Int
    /// False: the last vector of each row is stored whole, up to `KernelSlack.written` elements past the last column.
    public var endsExactly = false

    public init(
        _ weights: PackedWeights, columns: Int, _ first: Input, out: UnsafeMutablePointer<Scalar>, outStride: Int
    ) {
        self.weights = weights
        self.columns = columns
        self.first = first
        self.out = out
        self.outStride = outStride
    }

    public var rows: Int { weights.rows }

    /// The plain form, from weights in rows of `first.rows + second.rows`.
    public func reference(weights: UnsafePointer<Float>) {
        let inner = first.rows + (second?.rows ?? 0)
        func value(_ input: Input, _ index: Int, _ column: Int) -> Double {
            Double(input.pointer[index * input.stride + column].float)
        }
        for row in 0..<rows {
            func weight(_ index: Int) -> Double { Double(Scalar(rounding: weights[row * inner + index]).float) }
            for column in 0..<columns {
                var sum = Double(bias?[row] ?? 0)
                for index in 0..<first.rows { sum += weight(index) * value(first, index, column) }
                if let second {
                    for index in 0..<second.rows { sum += weight(first.rows + index) * value(second, index, column) }
                }
                if let addend { sum += Double(addend[row * addendStride + column].float) }
                out[row * outStride + column] = Scalar(rounding: Float(isRectified ? max(sum, 0) : sum))
            }
        }
    }
}
