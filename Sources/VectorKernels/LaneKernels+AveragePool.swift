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
        inverseCounts: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Scalar>
    ) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 9) { ones in
            ones.initialize(repeating: 1)
            var sums = StoredSums(out: inputGradient, count: window.inArea)
            SpreadWindow(AverageGradient(gradient: gradient, out: out, inverseCounts: inverseCounts), window)
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

/// Each window's share of the gradient for each of its inputs, where the ReLU was open.
private struct AverageGradient<Scalar: LaneScalar>: WindowGradient {
    let gradient: UnsafePointer<Scalar>
    let out: UnsafePointer<Scalar>
    let inverseCounts: UnsafePointer<Float>

    @inline(__always)
    func lanes(_ index: Int, tap: Int) -> Lanes {
        (gradient.lanes(index) * inverseCounts.lanes(index)).replacing(with: 0, where: out.lanes(index) .<= Lanes.zero)
    }
}
