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
}
