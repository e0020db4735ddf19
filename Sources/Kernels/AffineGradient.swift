/// The element-wise part of a batch norm's gradient: with its sums known, the gradient at the norm's input is an affine
/// function of the gradient at its output and of that input.
///
/// dx = γ/σ·(dy − Σdy/L − x̂·Σ(dy·x̂)/L), x̂ = (x − mean)/σ (Ioffe and Szegedy, arXiv 1502.03167, section 3).
public enum AffineGradient {
    /// `gradient = scale·gradient + slope·input + offset` over `count` values, in place.
    public static func reference<Element: BinaryFloatingPoint>(
        _ gradient: UnsafeMutablePointer<Element>, input: UnsafePointer<Element>, scale: Element, slope: Element,
        offset: Element, _ count: Int
    ) {
        for index in 0..<count { gradient[index] = scale * gradient[index] + slope * input[index] + offset }
    }
}
