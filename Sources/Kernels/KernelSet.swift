/// The engine's inner loops, written for one instruction set.
///
/// Beside each operation's plain form stand its shapes (`DepthwiseConvolution`, `MaxPool`, …). Planes are `[H][W]`, one
/// image and one channel, with `window.scratchCount` floats of scratch. Up to 32 elements past the end of an input row
/// or plane, and 16 before a plane, may be read (and are not used). Nothing here allocates, fails or starts threads.
public protocol KernelSet: Sendable {
    // Matrix products.

    /// Orders the matrix `[rows][columns of all blocks]` for `multiply`; `packed` takes as many floats as it has.
    func pack(_ blocks: [WeightBlock], rows: Int, into packed: UnsafeMutablePointer<Float>)
    func multiply(_ product: PointwiseProduct)
    func correlate(_ task: RowCorrelation)

    // Windows.

    /// `DepthwiseConvolution` of x as it lies.
    func depthwiseForward(
        _ plane: UnsafePointer<Float>, _ window: PlaneWindow, _ edges: EdgeMasks, kernel: UnsafePointer<Float>,
        out: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>)
    /// `DepthwiseConvolution` of max(scale·plane + shift, 0).
    func depthwiseForward(
        _ plane: UnsafePointer<Float>, _ window: PlaneWindow, _ edges: EdgeMasks, scale: Float, shift: Float,
        kernel: UnsafePointer<Float>, out: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>)
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
        gradient: UnsafePointer<Float>, _ plane: UnsafePointer<Float>, _ window: PlaneWindow, _ edges: EdgeMasks,
        scale: Float, shift: Float, mean: Float, kernel: UnsafePointer<Float>,
        inputGradient: UnsafeMutablePointer<Float>, kernelGradient: UnsafeMutablePointer<Double>,
        scratch: UnsafeMutablePointer<Float>
    ) -> (sum: Float, weighted: Float)
    /// `AveragePool`: `out = max(average, 0)`.
    func averagePoolForward(
        _ plane: UnsafePointer<Float>, _ window: PlaneWindow, inverseCounts: UnsafePointer<Float>,
        out: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>)
    /// `inputGradient` (`=`) from the gradient at `out`, which is zero where `out` is.
    func averagePoolBackward(
        gradient: UnsafePointer<Float>, out: UnsafePointer<Float>, _ window: PlaneWindow,
        inverseCounts: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>)
    /// `MaxPool`, `out` `[outHeight][outWidth]`.
    func maxPoolForward(
        _ plane: UnsafePointer<Float>, _ window: PlaneWindow, scale: Float, shift: Float,
        out: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>)
    /// The same, and the tap (0 to 8, the first of equals in reading order) that each maximum came from.
    func maxPoolForward(
        _ plane: UnsafePointer<Float>, _ window: PlaneWindow, scale: Float, shift: Float,
        out: UnsafeMutablePointer<Float>, taps: UnsafeMutablePointer<UInt8>, scratch: UnsafeMutablePointer<Float>)
    /// `ImagePatches` of output rows `firstRow ..< firstRow + rowCount` at stride 2 and padding 1.
    ///
    /// - Parameters:
    ///   - image: `[3][height][width]`; nothing outside it is read.
    ///   - patches: receives `[27][rowCount·outWidth]`, rows `pitch` apart, of which 16 elements after the last used
    ///     one may be overwritten.
    func fillPatches(
        _ image: UnsafePointer<Float>, _ window: PlaneWindow, firstRow: Int, rowCount: Int,
        patches: UnsafeMutablePointer<Float>, pitch: Int)

    // Rows.

    /// Σ row.
    func sum(_ row: UnsafePointer<Float>, _ count: Int) -> Float
    /// `row -= mean`, in place.
    func centre(_ row: UnsafeMutablePointer<Float>, _ count: Int, by mean: Float)
    /// `RowMoments`.
    func moments(_ row: UnsafePointer<Float>, _ count: Int) -> Moments
    /// `row = slope·row + offset`, in place.
    func applyAffine(_ row: UnsafeMutablePointer<Float>, slope: Float, offset: Float, _ count: Int)
    /// `AffineGradient`.
    func applyAffineGradient(
        _ gradient: UnsafeMutablePointer<Float>, input: UnsafePointer<Float>, scale: Float, slope: Float,
        offset: Float, _ count: Int)
    /// `Rectifier`.
    func rectifierBackward(
        _ gradient: UnsafeMutablePointer<Float>, out: UnsafePointer<Float>, _ count: Int
    ) -> Float
    /// `MomentumUpdate`.
    func updateWithMomentum(
        weights: UnsafeMutablePointer<Float>, velocities: UnsafeMutablePointer<Float>,
        gradients: UnsafePointer<Float>, _ count: Int, rate: Float, momentum: Float, decay: Float)

    // Measure.

    /// Multiply-adds in registers alone: how fast the core can be. Returns how many operations they were, and a sum
    /// that keeps them from being left out.
    func exercise(rounds: Int) -> (operations: Int, sum: Float)
}
