public import Kernels

extension LaneKernels {
    public func averagePoolForward(
        _ plane: UnsafePointer<Float>, _ window: PlaneWindow, inverseCounts: UnsafePointer<Float>,
        out: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        PlaneSplit.split(plane, window, padding: 0, into: scratch) { $0 }
        WindowSum.forward(scratch, window, kernel: WindowKernel(), out: out) { sum, index in
            (sum * inverseCounts.lanes(index)).rectified
        }
    }

    public func averagePoolBackward(
        gradient: UnsafePointer<Float>, out: UnsafePointer<Float>, _ window: PlaneWindow,
        inverseCounts: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Float>,
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
