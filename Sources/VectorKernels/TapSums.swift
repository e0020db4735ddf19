/// Sums of products with the three inputs that one row of a window has.
struct TapSums {
    private var left = Lanes.zero
    private var middle = Lanes.zero
    private var right = Lanes.zero

    @inline(__always)
    mutating func add(_ left: Lanes, _ middle: Lanes, _ right: Lanes, _ gradient: Lanes) {
        self.left = multiplyAdd(self.left, left, gradient)
        self.middle = multiplyAdd(self.middle, middle, gradient)
        self.right = multiplyAdd(self.right, right, gradient)
    }

    /// Adds the totals to `sums[0 ..< 3]`.
    @inline(__always)
    func store(_ sums: UnsafeMutablePointer<Double>) {
        sums[0] += Double(left.total)
        sums[1] += Double(middle.total)
        sums[2] += Double(right.total)
    }
}
