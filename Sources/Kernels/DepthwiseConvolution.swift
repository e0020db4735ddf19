/// A 3×3 convolution of one channel by its own kernel, padding 1, stride 1 or 2. In training its input is first put through
/// the preceding batch norm and ReLU, x = max(scale·r + shift, 0); in inference, where those are folded away, it is x itself.
///
/// `out[y][x] = Σ kernel[dy][dx] · x[stride·y + dy - 1][stride·x + dx - 1]`, `out` `[outHeight][outWidth]`.
public enum DepthwiseConvolution {
    /// The plain form, of `count` planes one after the other; x is given after batch norm and ReLU.
    public static func forwardReference<Element: BinaryFloatingPoint>(
        _ x: UnsafePointer<Element>, count: Int, _ window: PlaneWindow, kernel: UnsafePointer<Element>,
        out: UnsafeMutablePointer<Element>
    ) {
        for plane in 0..<count {
            forwardReference(x + plane * window.inArea, window, kernel: kernel, out: out + plane * window.outArea)
        }
    }

    private static func forwardReference<Element: BinaryFloatingPoint>(
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
        gradient: UnsafePointer<Element>, _ x: UnsafePointer<Element>, count: Int, _ window: PlaneWindow,
        kernel: UnsafePointer<Element>, inputGradient: UnsafeMutablePointer<Element>,
        kernelGradient: UnsafeMutablePointer<Element>
    ) {
        for plane in 0..<count {
            backwardReference(
                gradient: gradient + plane * window.outArea, x + plane * window.inArea, window, kernel: kernel,
                inputGradient: inputGradient + plane * window.inArea, kernelGradient: kernelGradient)
        }
    }

    private static func backwardReference<Element: BinaryFloatingPoint>(
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
