/// A 3×3 convolution of one channel by its own kernel, padding 1, stride 1 or 2, whose input is first put through the
/// preceding batch norm and ReLU: x = max(scale·r + shift, 0).
///
/// Planes are `[H][W]`, one image and one channel; `scratch` has `window.scratchCount` floats. Up to
/// `laneCount - 1` values past the end of an input plane are read (and not used).
public enum DepthwiseConvolution {
    /// `out[y][x] = Σ kernel[dy][dx] · x[stride·y + dy - 1][stride·x + dx - 1]`, `out` `[outHeight][outWidth]`.
    public static func forward(
        _ plane: UnsafePointer<Float>, _ window: PlaneWindow, scale: Float, shift: Float,
        kernel: UnsafePointer<Float>, out: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        let scales = Lanes(repeating: scale)
        let shifts = Lanes(repeating: shift)
        PlaneSplit.split(plane, window, padding: 0, into: scratch) { multiplyAdd(shifts, $0, scales).rectified }
        WindowSum.forward(scratch, window, kernel: WindowKernel(kernel), out: out) { sum, _ in sum }
    }

    /// The gradients of one plane.
    ///
    /// - Parameters:
    ///   - gradient: with respect to `out`, `[outHeight][outWidth]`.
    ///   - plane: the forward pass's r, `[inHeight][inWidth]`.
    ///   - mean: of r over its channel; deviations are taken from it.
    ///   - inputGradient: receives the gradient at scale·r + shift, that is after the ReLU's mask.
    ///   - kernelGradient: `[9]`, `+=`.
    /// - Returns: the sum of `inputGradient`, and of its product with r − mean.
    public static func backward(
        gradient: UnsafePointer<Float>, _ plane: UnsafePointer<Float>, _ window: PlaneWindow, scale: Float,
        shift: Float, mean: Float, kernel: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Float>,
        kernelGradient: UnsafeMutablePointer<Double>, scratch: UnsafeMutablePointer<Float>
    ) -> (sum: Float, weighted: Float) {
        let scales = Lanes(repeating: scale)
        let shifts = Lanes(repeating: shift)
        let means = Lanes(repeating: mean)
        PlaneSplit.split(plane, window, padding: 0, into: scratch) { multiplyAdd(shifts, $0, scales).rectified }
        let origin = PlaneSplit.border(gradient, window, into: scratch) { value, _ in value }
        WindowSum.kernelGradient(scratch, origin, window, sums: kernelGradient)

        let taps = WindowKernel(kernel)
        let width = window.inWidth
        let line = scratch + window.lineOffset
        var sum = Lanes.zero
        var weighted = Lanes.zero
        for y in 0..<window.inHeight {
            let row = WindowSum.inputGradient(row: y, origin, window, kernel: taps, line: line)
            let input = plane + y * width
            var x = 0
            while x < width {
                let r = input.lanes(x)
                var value = row.lanes(x)
                    .replacing(with: 0, where: multiplyAdd(shifts, r, scales) .<= Lanes.zero)
                var product = value * (r - means)
                if x + laneCount > width {
                    value = value.keeping(first: width - x)
                    product = product.keeping(first: width - x)
                }
                sum += value
                weighted += product
                inputGradient.store(value, y * width + x, before: window.inArea)
                x += laneCount
            }
        }
        return (sum.total, weighted.total)
    }

    /// The plain form; x is given after batch norm and ReLU.
    public static func forwardReference<Element: BinaryFloatingPoint>(
        _ x: UnsafePointer<Element>, _ window: PlaneWindow, kernel: UnsafePointer<Element>,
        out: UnsafeMutablePointer<Element>
    ) {
        for y in 0..<window.outHeight {
            for column in 0..<window.outWidth {
                var sum: Element = 0
                for tap in 0..<9 {
                    guard let index = window.inputIndex(y, column, tap: tap) else { continue }
                    sum += kernel[tap] * x[index]
                }
                out[y * window.outWidth + column] = sum
            }
        }
    }

    /// The plain gradients: `inputGradient` (`=`) at x, `kernelGradient` (`+=`).
    public static func backwardReference<Element: BinaryFloatingPoint>(
        gradient: UnsafePointer<Element>, _ x: UnsafePointer<Element>, _ window: PlaneWindow,
        kernel: UnsafePointer<Element>, inputGradient: UnsafeMutablePointer<Element>,
        kernelGradient: UnsafeMutablePointer<Element>
    ) {
        for index in 0..<window.inArea { inputGradient[index] = 0 }
        for y in 0..<window.outHeight {
            for column in 0..<window.outWidth {
                let value = gradient[y * window.outWidth + column]
                for tap in 0..<9 {
                    guard let index = window.inputIndex(y, column, tap: tap) else { continue }
                    inputGradient[index] += kernel[tap] * value
                    kernelGradient[tap] += x[index] * value
                }
            }
        }
    }
}
