/// 3×3 maximum, stride 2, *same* padding with −∞, of x = max(scale·r + shift, 0): the stem's norm, ReLU and pool.
///
/// Planes and scratch as in `DepthwiseConvolution`.
public enum MaxPool {
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
