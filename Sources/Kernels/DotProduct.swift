/// Sums of products in double precision, for the small vectors of the normalisation's algebra.
public enum DotProduct {
    /// Σ a·b over `count` elements, by way of eight partial sums, always the same ones.
    @inlinable
    public static func sum<Element: BinaryFloatingPoint>(
        _ a: UnsafePointer<Element>, _ b: UnsafePointer<Element>, _ count: Int
    ) -> Double {
        var sums = InlineArray<8, Double>(repeating: 0)
        let whole = count / 8 * 8
        for index in stride(from: 0, to: whole, by: 8) {
            for lane in 0..<8 { sums[lane] += Double(a[index + lane]) * Double(b[index + lane]) }
        }
        for index in whole..<count { sums[index - whole] += Double(a[index]) * Double(b[index]) }
        return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]))
    }
}
