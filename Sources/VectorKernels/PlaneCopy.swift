internal import Kernels

/// A plane as float32 in scratch, between zeros: a product with a masked gradient must not meet a NaN.
enum PlaneCopy {
    /// Passes each value through `change`; returns where the plane begins.
    @inline(__always)
    static func make<Scalar: LaneScalar>(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, _ change: some LaneChange,
        into scratch: UnsafeMutablePointer<Float>
    ) -> UnsafePointer<Float> {
        let start = scratch + PlaneWindow.slack
        for index in stride(from: 0, to: window.inArea, by: laneCount) {
            start.store(change.apply(plane.lanes(index)), index)
        }
        start.store(Lanes.zero, -laneCount)
        start.store(Lanes.zero, window.inArea)
        start.store(Lanes.zero, window.inArea + laneCount)
        return UnsafePointer(start)
    }
}
