/// One row's inputs to a vector of outputs: those to the left, in the middle and to the right of each.
struct WindowTaps {
    let left: Lanes
    let middle: Lanes
    let right: Lanes

    @inline(__always)
    init(left: Lanes, middle: Lanes, right: Lanes) {
        self.left = left
        self.middle = middle
        self.right = right
    }

    @inline(__always)
    init(repeating value: Lanes) { self.init(left: value, middle: value, right: value) }

    /// With three kernel values.
    @inline(__always)
    func sum(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes {
        multiplyAdd(multiplyAdd(left * a, middle, b), right, c)
    }

    @inline(__always)
    func adding(to sum: Lanes, _ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes {
        multiplyAdd(multiplyAdd(multiplyAdd(sum, left, a), middle, b), right, c)
    }
}
