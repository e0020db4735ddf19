/// 3×3 maximum, stride 2, *same* padding with −∞, of x = max(scale·r + shift, 0): the stem's norm, ReLU and pool.
///
/// Planes and scratch as in `DepthwiseConvolution`.
public enum MaxPool {
    /// `out` `[outHeight][outWidth]`.
    public static func forward(
        _ plane: UnsafePointer<Float>, _ window: PlaneWindow, scale: Float, shift: Float,
        out: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        let scales = Lanes(repeating: scale)
        let shifts = Lanes(repeating: shift)
        PlaneSplit.split(plane, window, padding: -.infinity, into: scratch) {
            multiplyAdd(shifts, $0, scales).rectified
        }
        let split = UnsafePointer(scratch)
        for y in 0..<window.outHeight {
            var x = 0
            while x < window.outWidth {
                let flat = y * window.pitch + x
                var best = split.lanes(window.tapOffset(0) + flat)
                for tap in 1..<9 {
                    let value = split.lanes(window.tapOffset(tap) + flat)
                    best.replace(with: value, where: value .> best)
                }
                out.store(best, y * window.outWidth + x, before: window.outArea)
                x += laneCount
            }
        }
    }

    /// The same, and the tap (0 to 8, the first of equals in reading order) that each maximum came from.
    public static func forward(
        _ plane: UnsafePointer<Float>, _ window: PlaneWindow, scale: Float, shift: Float,
        out: UnsafeMutablePointer<Float>, taps: UnsafeMutablePointer<UInt8>, scratch: UnsafeMutablePointer<Float>
    ) {
        let scales = Lanes(repeating: scale)
        let shifts = Lanes(repeating: shift)
        PlaneSplit.split(plane, window, padding: -.infinity, into: scratch) {
            multiplyAdd(shifts, $0, scales).rectified
        }
        let split = UnsafePointer(scratch)
        for y in 0..<window.outHeight {
            var x = 0
            while x < window.outWidth {
                let flat = y * window.pitch + x
                var best = split.lanes(window.tapOffset(0) + flat)
                var source = SIMD8<Int32>.zero
                for tap in 1..<9 {
                    let value = split.lanes(window.tapOffset(tap) + flat)
                    let isLarger = value .> best
                    best.replace(with: value, where: isLarger)
                    source.replace(with: Int32(truncatingIfNeeded: tap), where: isLarger)
                }
                let index = y * window.outWidth + x
                out.store(best, index, before: window.outArea)
                for lane in 0..<min(laneCount, window.outWidth - x) {
                    taps[index + lane] = UInt8(truncatingIfNeeded: source[lane])
                }
                x += laneCount
            }
        }
    }

    /// What the norm before the pool needs: the sum of the gradient that passes the ReLU, and of its product with
    /// r − mean at the maximum's place.
    public static func gradientSums(
        gradient: UnsafePointer<Float>, out: UnsafePointer<Float>, taps: UnsafePointer<UInt8>,
        _ plane: UnsafePointer<Float>, _ window: PlaneWindow, mean: Float
    ) -> (sum: Float, weighted: Float) {
        var sum: Float = 0
        var weighted: Float = 0
        forEachMaximum(out: out, taps: taps, window) { index, source in
            sum += gradient[index]
            weighted += gradient[index] * (plane[source] - mean)
        }
        return (sum, weighted)
    }

    /// `inputGradient[place of maximum] += factor · gradient` where the ReLU was open.
    public static func backward(
        gradient: UnsafePointer<Float>, out: UnsafePointer<Float>, taps: UnsafePointer<UInt8>,
        _ window: PlaneWindow, factor: Float, inputGradient: UnsafeMutablePointer<Float>
    ) {
        forEachMaximum(out: out, taps: taps, window) { index, source in
            inputGradient[source] += factor * gradient[index]
        }
    }

    @inline(__always)
    private static func forEachMaximum(
        out: UnsafePointer<Float>, taps: UnsafePointer<UInt8>, _ window: PlaneWindow, _ body: (Int, Int) -> Void
    ) {
        for y in 0..<window.outHeight {
            for x in 0..<window.outWidth {
                let index = y * window.outWidth + x
                if out[index] <= 0 { continue }
                let tap = Int(taps[index])
                let row = 2 * y + tap / 3 - window.padTop
                body(index, row * window.inWidth + 2 * x + tap % 3 - window.padLeft)
            }
        }
    }

    /// The plain form; x is given after norm and ReLU.
    public static func forwardReference<Element: BinaryFloatingPoint>(
        _ x: UnsafePointer<Element>, _ window: PlaneWindow, out: UnsafeMutablePointer<Element>,
        taps: UnsafeMutablePointer<UInt8>
    ) {
        for y in 0..<window.outHeight {
            for column in 0..<window.outWidth {
                var best = -Element.infinity
                var source = 0
                for tap in 0..<9 {
                    guard let index = window.inputIndex(y, column, tap: tap), x[index] > best else { continue }
                    best = x[index]
                    source = tap
                }
                out[y * window.outWidth + column] = best
                taps[y * window.outWidth + column] = UInt8(source)
            }
        }
    }
}
