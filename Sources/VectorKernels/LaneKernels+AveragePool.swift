internal import Kernels

extension LaneActivationKernels {
    func averagePoolForward(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, inverseCounts: UnsafePointer<Float>,
        out: UnsafeMutablePointer<Scalar>
    ) {
        ReducedWindow(plane, window).reduce(Average(inverseCounts), into: out)
    }

    func averagePoolBackward(
        gradient: UnsafePointer<Scalar>, out: UnsafePointer<Scalar>, _ window: PlaneWindow,
        inverseCounts: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Scalar>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        // Each window's share for each of its inputs, where the ReLU was open. It is used up to nine times.
        let shares = scratch + PlaneWindow.slack
        var index = 0
        while index < window.outArea {
            let share = gradient.lanes(index) * inverseCounts.lanes(index)
            shares.store(share.replacing(with: 0, where: out.lanes(index) .<= Lanes.zero), index)
            index += laneCount
        }
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 9) { ones in
            ones.initialize(repeating: 1)
            var sums = StoredSums(out: inputGradient, count: window.inArea)
            SpreadWindow(PlainGradient(pointer: UnsafePointer(shares)), window)
                .spread(kernel: ones.baseAddress!, into: &sums)
        }
    }
}

private struct Average: WindowReduction {
    private let inverseCounts: UnsafePointer<Float>

    @inline(__always)
    init(_ inverseCounts: UnsafePointer<Float>) { self.inverseCounts = inverseCounts }

    static var identity: Float { 0 }

    @inline(__always)
    static func combine(_ a: Lanes, _ b: Lanes) -> Lanes { a + b }

    @inline(__always)
    func end(_ value: Lanes, index: Int) -> Lanes { (value * inverseCounts.lanes(index)).rectified }
}
