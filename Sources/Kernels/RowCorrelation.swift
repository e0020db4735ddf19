/// `out[i][j] (+)= Σ_column left[i][column] · right[j][column]`: the products that weight gradients are made of.
public struct RowCorrelation<Scalar: ActivationScalar> {
    public var left: PointwiseProduct<Scalar>.Input
    public var right: PointwiseProduct<Scalar>.Input
    public var columns: Int
    /// Whether to add to what `out` holds.
    public var accumulates: Bool
    /// `[left.rows][right.rows]`, rows `outStride` apart.
    public var out: UnsafeMutablePointer<Float>
    public var outStride: Int
    /// Rows that are worked on next: while the sums are made, they are asked for, a row with each tile. Rows lie too far
    /// apart for the hardware to see them coming.
    public var ahead: PointwiseProduct<Scalar>.Input?

    public init(
        _ left: PointwiseProduct<Scalar>.Input, _ right: PointwiseProduct<Scalar>.Input, columns: Int,
        accumulates: Bool,
        out: UnsafeMutablePointer<Float>, outStride: Int
    ) {
        self.left = left
        self.right = right
        self.columns = columns
        self.accumulates = accumulates
        self.out = out
        self.outStride = outStride
    }

    /// Whether the rows are correlated with themselves: then half of the sums are enough.
    public var isSymmetric: Bool {
        left.pointer == right.pointer && left.rows == right.rows && left.stride == right.stride
    }

    /// Copies the sums below the diagonal to their places above it.
    @inline(__always)
    public func mirror() {
        for row in 0..<left.rows {
            for column in row + 1..<left.rows { out[row * outStride + column] = out[column * outStride + row] }
        }
    }

    public func reference() {
        for row in 0..<left.rows {
            for column in 0..<right.rows {
                var sum = accumulates ? Double(out[row * outStride + column]) : 0
                for index in 0..<columns {
                    sum +=
                        Double(left.pointer[row * left.stride + index].float)
                        * Double(right.pointer[column * right.stride + index].float)
                }
                out[row * outStride + column] = Float(sum)
            }
        }
    }
}
