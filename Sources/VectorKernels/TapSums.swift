/// Sums of products with the three inputs that one row of a window has.
struct TapSums {
    private var left = Lanes.zero
    private var middle = Lanes.zero
    private var right = Lanes.zero

    @inline(__always)
    mutating func add(_ taps: WindowTaps, _ gradient: Lanes) {
        left = multiplyAdd(left, taps.left, gradient)
        middle = multiplyAdd(middle, taps.middle, gradient)
        right = multiplyAdd(right, taps.right, gradient)
    }

    /// Adds the totals to `sums[0 ..< 3]`.
    @inline(__always)
    func store(_ sums: UnsafeMutablePointer<Double>) {
        sums[0] += Double(left.total)
        sums[1] += Double(middle.total)
        sums[2] += Double(right.total)
    }
}
