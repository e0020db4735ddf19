/// 3×3 maximum, stride 2, *same* padding with −∞, of x = max(scale·r + shift, 0): the stem's norm, ReLU and pool.
///
/// Planes and scratch as in `DepthwiseConvolution`.
public enum MaxPool {
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
