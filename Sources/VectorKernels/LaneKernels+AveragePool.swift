internal import Kernels

extension LaneActivationKernels {
    func averagePoolForward(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, inverseCounts: UnsafePointer<Float>,
        out: UnsafeMutablePointer<Scalar>
    ) {
        StridedWindow(plane, window).fold(
            into: out, outside: 0, load: { $0 }, begin: Lanes.zero,
            add: { sum, _, taps in sum += taps.left + taps.middle + taps.right },
            end: { index, sum in (sum * inverseCounts.lanes(index)).rectified })
    }

    func averagePoolBackward(
        gradient: UnsafePointer<Scalar>, out: UnsafePointer<Scalar>, _ window: PlaneWindow,
        inverseCounts: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Scalar>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let origin = PlaneSplit.border(gradient, window, into: scratch) { value, index in
            (value * inverseCounts.lanes(index)).replacing(with: 0, where: out.lanes(index) .<= Lanes.zero)
        }
        let ones = WindowKernel()
        let width = window.inWidth
        let line = scratch + window.lineOffset
        for y in 0..<window.inHeight {
            let row = WindowSum.inputGradient(row: y, origin, window, kernel: ones, line: line)
            var x = 0
            while x < width {
                inputGradient.store(row.lanes(x), y * width + x, before: window.inArea)
                x += laneCount
            }
        }
    }
}
