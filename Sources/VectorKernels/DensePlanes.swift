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
            // No `stride`: its test for overflow is part of every step.
            var index = 0
            while index < window.inArea {
                target.store(change.apply(source.lanes(index)), index)
                index += laneCount
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
