internal import Kernels

/// A batch norm folded to scale·r + shift, and the ReLU after it.
struct FoldedAffine: LaneChange {
    let scale: Lanes
    let shift: Lanes

    @inline(__always)
    init(scale: Float, shift: Float) {
        self.scale = Lanes(repeating: scale)
        self.shift = Lanes(repeating: shift)
    }

    @inline(__always)
    func norm(_ value: Lanes) -> Lanes { multiplyAdd(shift, value, scale) }

    /// max(scale·r + shift, 0).
    @inline(__always)
    func apply(_ value: Lanes) -> Lanes { norm(value).rectified }
}
