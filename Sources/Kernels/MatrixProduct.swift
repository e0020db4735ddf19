internal import COpenBLAS

/// Matrix products of row-major matrices, by OpenBLAS on the calling thread alone: those of the dense layer and of the
/// norms' algebra. Convolutions have kernels of their own (`PointwiseProduct`).
public enum MatrixProduct {
    public enum Side: Sendable {
        case plain
        case transposed
    }

    /// Called once by whoever starts the engine: OpenBLAS must not start threads of its own under ours.
    public static func useOneThread() {
        _ = oneThread
    }

    private static let oneThread: Void = openblas_set_num_threads(1)

    /// `c = beta·c + op(a)·op(b)` with op(a) m×k, op(b) k×n, c m×n; `lda`, `ldb`, `ldc` are row strides in elements.
    public static func multiply(
        _ sideA: Side = .plain, _ sideB: Side = .plain, m: Int, n: Int, k: Int,
        _ a: UnsafePointer<Float>, _ lda: Int, _ b: UnsafePointer<Float>, _ ldb: Int,
        beta: Float, _ c: UnsafeMutablePointer<Float>, _ ldc: Int
    ) {
        if m == 0 || n == 0 { return }
        cblas_sgemm(
            CblasRowMajor, sideA == .plain ? CblasNoTrans : CblasTrans, sideB == .plain ? CblasNoTrans : CblasTrans,
            Int32(m), Int32(n), Int32(k), 1, a, Int32(lda), b, Int32(ldb), beta, c, Int32(ldc))
    }

    /// The same in double precision, for the small matrices of the normalisation's algebra.
    public static func multiply(
        _ sideA: Side = .plain, _ sideB: Side = .plain, m: Int, n: Int, k: Int,
        _ a: UnsafePointer<Double>, _ lda: Int, _ b: UnsafePointer<Double>, _ ldb: Int,
        beta: Double, _ c: UnsafeMutablePointer<Double>, _ ldc: Int
    ) {
        if m == 0 || n == 0 { return }
        cblas_dgemm(
            CblasRowMajor, sideA == .plain ? CblasNoTrans : CblasTrans, sideB == .plain ? CblasNoTrans : CblasTrans,
            Int32(m), Int32(n), Int32(k), 1, a, Int32(lda), b, Int32(ldb), beta, c, Int32(ldc))
    }

    /// The plain form of both.
    public static func reference<Element: BinaryFloatingPoint>(
        _ sideA: Side = .plain, _ sideB: Side = .plain, m: Int, n: Int, k: Int,
        _ a: UnsafePointer<Element>, _ lda: Int, _ b: UnsafePointer<Element>, _ ldb: Int,
        beta: Element, _ c: UnsafeMutablePointer<Element>, _ ldc: Int
    ) {
        for row in 0..<m {
            for column in 0..<n {
                var sum: Element = 0
                for inner in 0..<k {
                    let left = sideA == .plain ? a[row * lda + inner] : a[inner * lda + row]
                    let right = sideB == .plain ? b[inner * ldb + column] : b[column * ldb + inner]
                    sum += left * right
                }
                let old = beta == 0 ? 0 : beta * c[row * ldc + column]
                c[row * ldc + column] = old + sum
            }
        }
    }
}
