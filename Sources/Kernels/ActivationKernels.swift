/// The loops over activations stored as `Scalar`; sums and parameters are float32.
///
/// Beside each operation's plain form stand its shapes (`DepthwiseConvolution`, `MaxPool`, …). Planes are `[H][W]`, one
/// image and one channel, with `window.scratchCount` floats of scratch. `KernelSlack` says how far beyond them is read (and
/// not used). Nothing here fails or starts threads, and nothing allocates but a product that ends exactly, which takes 32
/// elements for each of its rows while it runs.
public protocol ActivationKernels<Scalar>: Sendable {
    associatedtype Scalar: ActivationScalar

    // Matrix products.

    /// Orders the matrix that the blocks make side by side for `multiply`, which may read 16 floats past its end (`PackedWeights.count` has them); values
    /// are rounded to `Scalar`.
    ///
    /// - Parameter inputSize: the root mean square that x is expected to have, for sets that make sums from half as many
    ///   multiplications (`FastInnerProduct`). These lose digits by the factor that x is smaller, and make the sums of columns
    ///   where x is much larger plainly. Nil, and with more than one block: all sums are made plainly.
    func pack(_ blocks: [WeightBlock], into weights: PackedWeights, inputSize: Float?)
    func multiply(_ product: PointwiseProduct<Scalar>)
    func correlate(_ task: RowCorrelation<Scalar>)

    // Windows.

    /// `DepthwiseConvolution` of x as it lies, of one channel of `count` images: planes lie one after the other, at `planes`
    /// as at `out`.
    func depthwiseForward(
        _ planes: UnsafePointer<Scalar>, count: Int, _ window: PlaneWindow, kernel: UnsafePointer<Float>,
        out: UnsafeMutablePointer<Scalar>, scratch: UnsafeMutablePointer<Float>)
    /// `DepthwiseConvolution` of max(scale·plane + shift, 0).
    func depthwiseForward(
        _ planes: UnsafePointer<Scalar>, count: Int, _ window: PlaneWindow, scale: Float, shift: Float,
        kernel: UnsafePointer<Float>, out: UnsafeMutablePointer<Scalar>, scratch: UnsafeMutablePointer<Float>)
    /// The gradients of one channel.
    ///
    /// - Parameters:
    ///   - gradient: with respect to `out`, `[count][outHeight][outWidth]`.
    ///   - planes: the forward pass's r, `[count][inHeight][inWidth]`.
    ///   - mean: of r over its channel; deviations are taken from it.
    ///   - inputGradient: receives the gradient at scale·r + shift, that is after the ReLU's mask.
    ///   - kernelGradient: `[9]`, `+=`.
    /// - Returns: the sum of `inputGradient`, and of its product with r − mean.
    func depthwiseBackward(
        gradient: UnsafePointer<Scalar>, _ planes: UnsafePointer<Scalar>, count: Int, _ window: PlaneWindow,
        scale: Float, shift: Float, mean: Float, kernel: UnsafePointer<Float>,
        inputGradient: UnsafeMutablePointer<Scalar>, kernelGradient: UnsafeMutablePointer<Double>,
        scratch: UnsafeMutablePointer<Float>
    ) -> (sum: Double, weighted: Double)
    /// `AveragePool`: `out = max(average, 0)`.
    func averagePoolForward(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, inverseCounts: UnsafePointer<Float>,
        out: UnsafeMutablePointer<Scalar>)
    /// `inputGradient` (`=`) from the gradient at `out`, which is zero where `out` is.
    func averagePoolBackward(
        gradient: UnsafePointer<Scalar>, out: UnsafePointer<Scalar>, _ window: PlaneWindow,
        inverseCounts: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Scalar>,
        scratch: UnsafeMutablePointer<Float>)
    /// `MaxPool` of x as it lies, `out` `[outHeight][outWidth]`.
    func maxPoolForward(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, out: UnsafeMutablePointer<Scalar>)
    /// `MaxPool` of max(scale·plane + shift, 0), and the places of the maxima; of `places.taps` one before the first
    /// and 16 after the last are read on the way back.
    func maxPoolForward(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, scale: Float, shift: Float,
        out: UnsafeMutablePointer<Scalar>, places: MaxPool.Places<Scalar>)
    /// The gradient at r of a norm before the pool, in place of r: `plane = offset + slope·plane`, and `scale · gradient`
    /// added at each maximum's place.
    func maxPoolBackward(
        gradient: UnsafePointer<Scalar>, taps: UnsafePointer<UInt8>, _ window: PlaneWindow, scale: Float, slope: Float,
        offset: Float, _ plane: UnsafeMutablePointer<Scalar>)
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

    /// `row = value`.
    func fill(_ row: UnsafeMutablePointer<Scalar>, _ count: Int, with value: Float)
    /// Σ row.
    func sum(_ row: UnsafePointer<Scalar>, _ count: Int) -> Double
    /// `row -= mean`, in place. Returns the `RowMoments` it had; the nearer `mean` is to its own, the more digits of them
    /// are right.
    func centre(_ row: UnsafeMutablePointer<Scalar>, _ count: Int, by mean: Float) -> Moments
    /// `RowMoments`, of some thousands of values at most.
    func moments(_ row: UnsafePointer<Scalar>, _ count: Int) -> Moments
    /// What the norm before a max-pool needs: Σ gradient and Σ gradient · (input − mean) over the outputs that are not
    /// closed.
    func maxPoolGradientSums(
        gradient: UnsafePointer<Scalar>, _ places: MaxPool.Places<Scalar>, mean: Float, _ count: Int
    ) -> (sum: Float, weighted: Float)
    /// `AffineGradient`. What lies `ahead` elements further in both is asked for meanwhile: the rows that come next, too
    /// far away for the hardware to see them coming.
    func applyAffineGradient(
        _ gradient: UnsafeMutablePointer<Scalar>, input: UnsafePointer<Scalar>, scale: Float, slope: Float,
        offset: Float, _ count: Int, ahead: Int)
    /// `Rectifier`.
    func rectifierBackward(
        _ gradient: UnsafeMutablePointer<Scalar>, out: UnsafePointer<Scalar>, _ count: Int
    ) -> Float
}
