/// 3×3 maximum, stride 2, *same* padding with −∞, of x = max(scale·r + shift, 0): the stem's norm, ReLU and pool.
///
/// Planes as in `ActivationKernels`.
public enum MaxPool {
    /// The tap of a window whose inputs are all zero after the ReLU: nothing goes back through it.
    public static var closed: Int32 { 9 }

    /// Where each output's maximum came from: the tap, 0 to 8, the first of equals in reading order, or `closed`; and the
    /// input there before norm and ReLU (anything where closed).
    public struct Places<Scalar: ActivationScalar> {
        public let taps: UnsafeMutablePointer<UInt8>
        public let inputs: UnsafeMutablePointer<Scalar>

        public init(taps: UnsafeMutablePointer<UInt8>, inputs: UnsafeMutablePointer<Scalar>) {
            self.taps = taps
            self.inputs = inputs
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
