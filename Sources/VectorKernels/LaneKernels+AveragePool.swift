internal import Kernels

extension LaneActivationKernels {
    func averagePoolForward(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, inverseCounts: UnsafePointer<Float>,
        out: UnsafeMutablePointer<Scalar>
    ) {
        StridedWindow(plane, window, Unchanged()).fold(Average(inverseCounts), outside: 0, into: out)
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

private struct Average: WindowFold {
    private let inverseCounts: UnsafePointer<Float>
    private var sum = Lanes.zero

    @inline(__always)
    init(_ inverseCounts: UnsafePointer<Float>) { self.inverseCounts = inverseCounts }

    @inline(__always)
    mutating func begin() { sum = .zero }

    @inline(__always)
    mutating func add(row: Int, left: Lanes, middle: Lanes, right: Lanes) {
        // One after the other: of a sum of two masked vectors the compiler adds the last lanes apart.
        sum += left
        sum += middle
        sum += right
    }

    @inline(__always)
    func end(index: Int) -> Lanes { (sum * inverseCounts.lanes(index)).rectified }
}
