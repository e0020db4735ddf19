public import Kernels

extension LaneKernels {
    public func depthwiseForward(
        _ plane: UnsafePointer<Float>, _ window: PlaneWindow, scale: Float, shift: Float,
        kernel: UnsafePointer<Float>, out: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        let scales = Lanes(repeating: scale)
        let shifts = Lanes(repeating: shift)
        PlaneSplit.split(plane, window, padding: 0, into: scratch) { multiplyAdd(shifts, $0, scales).rectified }
        WindowSum.forward(scratch, window, kernel: WindowKernel(kernel), out: out) { sum, _ in sum }
    }

    public func depthwiseBackward(
        gradient: UnsafePointer<Float>, _ plane: UnsafePointer<Float>, _ window: PlaneWindow, scale: Float,
        shift: Float, mean: Float, kernel: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Float>,
        kernelGradient: UnsafeMutablePointer<Double>, scratch: UnsafeMutablePointer<Float>
    ) -> (sum: Float, weighted: Float) {
        let scales = Lanes(repeating: scale)
        let shifts = Lanes(repeating: shift)
        let means = Lanes(repeating: mean)
        PlaneSplit.split(plane, window, padding: 0, into: scratch) { multiplyAdd(shifts, $0, scales).rectified }
        let origin = PlaneSplit.border(gradient, window, into: scratch) { value, _ in value }
        WindowSum.kernelGradient(scratch, origin, window, sums: kernelGradient)

        let taps = WindowKernel(kernel)
        let width = window.inWidth
        let line = scratch + window.lineOffset
        var sum = Lanes.zero
        var weighted = Lanes.zero
        for y in 0..<window.inHeight {
            let row = WindowSum.inputGradient(row: y, origin, window, kernel: taps, line: line)
            let input = plane + y * width
            var x = 0
            while x < width {
                let r = input.lanes(x)
                var value = row.lanes(x)
                    .replacing(with: 0, where: multiplyAdd(shifts, r, scales) .<= Lanes.zero)
                var product = value * (r - means)
                if x + laneCount > width {
                    value = value.keeping(first: width - x)
                    product = product.keeping(first: width - x)
                }
                sum += value
                weighted += product
                inputGradient.store(value, y * width + x, before: window.inArea)
                x += laneCount
            }
        }
        return (sum.total, weighted.total)
    }
}
