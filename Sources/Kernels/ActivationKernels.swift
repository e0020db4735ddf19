/// The loops over activations stored as `Scalar`; sums and parameters are float32.
///
/// Beside each operation's plain form stand its shapes (`DepthwiseConvolution`, `MaxPool`, …). Planes are `[H][W]`, one
/// image and one channel, with `window.scratchCount` floats of scratch. Up to 32 elements past the end of an input row
/// or plane, and 16 before a plane, may be read (and are not used). Nothing here allocates, fails or starts threads.
public protocol ActivationKernels<Scalar>: Sendable {
    associatedtype Scalar: ActivationScalar

    // Matrix products.

    /// Orders the matrix `[rows][columns of all blocks]` for `multiply`, its values rounded to `Scalar`; `packed` takes
    /// as many floats as it has.
    func pack(_ blocks: [WeightBlock], rows: Int, into packed: UnsafeMutablePointer<Float>)
    func multiply(_ product: PointwiseProduct<Scalar>)
    func correlate(_ task: RowCorrelation<Scalar>)

    // Windows.

    /// `DepthwiseConvolution` of x as it lies.
    func depthwiseForward(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, kernel: UnsafePointer<Float>,
        out: UnsafeMutablePointer<Scalar>, scratch: UnsafeMutablePointer<Float>)
    /// `DepthwiseConvolution` of max(scale·plane + shift, 0).
    func depthwiseForward(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, scale: Float, shift: Float,
        kernel: UnsafePointer<Float>, out: UnsafeMutablePointer<Scalar>, scratch: UnsafeMutablePointer<Float>)
    /// The gradients of one plane.
    ///
    /// - Parameters:
    ///   - gradient: with respect to `out`, `[outHeight][outWidth]`.
    ///   - plane: the forward pass's r, `[inHeight][inWidth]`.
    ///   - mean: of r over its channel; deviations are taken from it.
    ///   - inputGradient: receives the gradient at scale·r + shift, that is after the ReLU's mask.
    ///   - kernelGradient: `[9]`, `+=`.
    /// - Returns: the sum of `inputGradient`, and of its product with r − mean.
    func depthwiseBackward(
        gradient: UnsafePointer<Scalar>, _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow,
        scale: Float, shift: Float, mean: Float, kernel: UnsafePointer<Float>,
        inputGradient: UnsafeMutablePointer<Scalar>, kernelGradient: UnsafeMutablePointer<Double>,
        scratch: UnsafeMutablePointer<Float>
    ) -> (sum: Float, weighted: Float)
    /// `AveragePool`: `out = max(average, 0)`.
    func averagePoolForward(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, inverseCounts: UnsafePointer<Float>,
        out: UnsafeMutablePointer<Scalar>)
    /// `inputGradient` (`=`) from the gradient at `out`, which is zero where `out` is.
    func averagePoolBackward(
        gradient: UnsafePointer<Scalar>, out: UnsafePointer<Scalar>, _ window: PlaneWindow,
        inverseCounts: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Scalar>)
    /// `MaxPool` of x as it lies, `out` `[outHeight][outWidth]`.
    func maxPoolForward(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, out: UnsafeMutablePointer<Scalar>)
    /// `MaxPool` of max(scale·plane + shift, 0), and the tap (0 to 8, the first of equals in reading order) that each maximum came from.
    func maxPoolForward(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, scale: Float, shift: Float,
        out: UnsafeMutablePointer<Scalar>, taps: UnsafeMutablePointer<UInt8>)
    /// What the norm before the pool needs: the sum of the gradient that passes the ReLU, and of its product with
    /// r − mean at the maximum's place.
    func maxPoolGradientSums(
        gradient: UnsafePointer<Scalar>, out: UnsafePointer<Scalar>, taps: UnsafePointer<UInt8>,
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, mean: Float
    ) -> (sum: Float, weighted: Float)
    /// `inputGradient[place of maximum] += factor · gradient` where the ReLU was open.
    func maxPoolBackward(
        gradient: UnsafePointer<Scalar>, out: UnsafePointer<Scalar>, taps: UnsafePointer<UInt8>,
        _ window: PlaneWindow, factor: Float, inputGradient: UnsafeMutablePointer<Scalar>)
    /// `ImagePatches` of output rows `firstRow ..< firstRow + rowCount` at stride 2 and padding 1.
    ///
    /// - Parameters:
    ///   - image: `[3][height][width]`; nothing outside it is read.
    ///   - patches: receives `[27][rowCount·outWidth]`, rows `pitch` apart, of which 16 elements after the last used
    ///     one may be overwritten.
    func fillPatches(
        _ image: UnsafePointer<Float>, _ window: PlaneWindow, firstRow: Int, rowCount: Int,
        patches: UnsafeMutablePointer<Scalar>, pitch: Int)

    // Rows.

    /// Σ row.
    func sum(_ row: UnsafePointer<Scalar>, _ count: Int) -> Float
    /// `row -= mean`, in place.
    func centre(_ row: UnsafeMutablePointer<Scalar>, _ count: Int, by mean: Float)
    /// `RowMoments`.
    func moments(_ row: UnsafePointer<Scalar>, _ count: Int) -> Moments
    /// `row = slope·row + offset`, in place.
    func applyAffine(_ row: UnsafeMutablePointer<Scalar>, slope: Float, offset: Float, _ count: Int)
    /// `AffineGradient`.
    func applyAffineGradient(
        _ gradient: UnsafeMutablePointer<Scalar>, input: UnsafePointer<Scalar>, scale: Float, slope: Float,
        offset: Float, _ count: Int)
    /// `Rectifier`.
    func rectifierBackward(
        _ gradient: UnsafeMutablePointer<Scalar>, out: UnsafePointer<Scalar>, _ count: Int
    ) -> Float
}
