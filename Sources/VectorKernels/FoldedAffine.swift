internal import Kernels

/// A batch norm folded to scale·r + shift.
struct FoldedAffine {
    let scale: Lanes
    let shift: Lanes

    @inline(__always)
    init(scale: Float, shift: Float) {
        self.scale = Lanes(repeating: scale)
        self.shift = Lanes(repeating: shift)
    }

    @inline(__always)
    func apply(_ value: Lanes) -> Lanes { multiplyAdd(shift, value, scale) }

    /// max(scale·r + shift, 0).
    @inline(__always)
    func activate(_ value: Lanes) -> Lanes { apply(value).rectified }

    /// The same of a whole plane in `scratch`, between zeros: a product with a masked gradient must not meet a NaN.
    /// Returns where it begins.
    @inline(__always)
    func activate(
        _ plane: UnsafePointer<Float>, _ window: PlaneWindow, into scratch: UnsafeMutablePointer<Float>
    ) -> UnsafePointer<Float> {
        let start = scratch + PlaneWindow.slack
        for index in stride(from: 0, to: window.inArea, by: laneCount) {
            start.store(activate(plane.lanes(index)), index)
        }
        start.store(Lanes.zero, -laneCount)
        start.store(Lanes.zero, window.inArea)
        start.store(Lanes.zero, window.inArea + laneCount)
        return UnsafePointer(start)
    }
}
