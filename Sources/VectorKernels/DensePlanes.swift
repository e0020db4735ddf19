internal import Kernels

/// Planes of float32, `pitch` elements apart.
struct DensePlanes {
    private let first: UnsafePointer<Float>
    private let pitch: Int

    /// Planes where they lie.
    @inline(__always)
    init(_ planes: UnsafePointer<Float>, _ window: PlaneWindow) {
        first = planes
        pitch = window.inArea
    }

    /// Copies of `count` planes in scratch, of which each value went through `change`, between zeros: a product with a
    /// masked gradient must not meet a NaN.
    @inline(__always)
    init<Scalar: LaneScalar>(
        copying planes: UnsafePointer<Scalar>, count: Int, _ window: PlaneWindow, _ change: some LaneChange,
        into scratch: UnsafeMutablePointer<Float>
    ) {
        pitch = window.densePitch
        first = UnsafePointer(scratch + PlaneWindow.slack)
        var source = planes
        var target = scratch + PlaneWindow.slack
        target.store(Lanes.zero, -laneCount)
        for _ in 0..<count {
            for index in stride(from: 0, to: window.inArea, by: laneCount) {
                target.store(change.apply(source.lanes(index)), index)
            }
            target.store(Lanes.zero, window.inArea)
            target.store(Lanes.zero, window.inArea + laneCount)
            source += window.inArea
            target += pitch
        }
    }

    @inline(__always)
    subscript(plane: Int) -> UnsafePointer<Float> { first + plane * pitch }
}
