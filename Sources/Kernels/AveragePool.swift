/// The shortcut of a stride-2 unit: 3×3 average, stride 2, *same* padding that is not counted; then the unit's ReLU.
///
/// Planes and scratch as in `ActivationKernels`. `inverseCounts` `[outHeight][outWidth]` comes from
/// `fillInverseCounts`.
public enum AveragePool {
    /// 1 / (values under each window).
    public static func fillInverseCounts(_ window: PlaneWindow, into counts: UnsafeMutablePointer<Float>) {
        for y in 0..<window.outHeight {
            for x in 0..<window.outWidth {
                let inside = (0..<9).count { window.inputIndex(y, x, tap: $0) != nil }
                counts[y * window.outWidth + x] = 1 / Float(inside)
            }
        }
    }

    public static func forwardReference<Element: BinaryFloatingPoint>(
        _ plane: UnsafePointer<Element>, _ window: PlaneWindow, out: UnsafeMutablePointer<Element>
    ) {
        for y in 0..<window.outHeight {
            for x in 0..<window.outWidth {
                let indices = (0..<9).compactMap { window.inputIndex(y, x, tap: $0) }
                let sum = indices.reduce(Element(0)) { $0 + plane[$1] }
                out[y * window.outWidth + x] = max(sum / Element(indices.count), 0)
            }
        }
    }

    public static func backwardReference<Element: BinaryFloatingPoint>(
        gradient: UnsafePointer<Element>, out: UnsafePointer<Element>, _ window: PlaneWindow,
        inputGradient: UnsafeMutablePointer<Element>
    ) {
        for index in 0..<window.inArea { inputGradient[index] = 0 }
        for y in 0..<window.outHeight {
            for x in 0..<window.outWidth where out[y * window.outWidth + x] > 0 {
                let indices = (0..<9).compactMap { window.inputIndex(y, x, tap: $0) }
                for index in indices {
                    inputGradient[index] += gradient[y * window.outWidth + x] / Element(indices.count)
                }
            }
        }
    }
}
