public import Kernels

extension LaneKernels {
    public func depthwiseForward(
        _ plane: UnsafePointer<Float>, _ window: PlaneWindow, _ edges: EdgeMasks, kernel: UnsafePointer<Float>,
        out: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        if window.stride == 1 {
            DenseWindow(plane, window, edges).forEachSum(WindowKernel(kernel)) { index, sum in
                out.store(sum, index, before: window.outArea)
            }
        } else {
            PlaneSplit.split(plane, window, padding: 0, into: scratch) { $0 }
            WindowSum.forward(scratch, window, kernel: WindowKernel(kernel), out: out) { sum, _ in sum }
        }
    }

    public func depthwiseForward(
        _ plane: UnsafePointer<Float>, _ window: PlaneWindow, _ edges: EdgeMasks, scale: Float, shift: Float,
        kernel: UnsafePointer<Float>, out: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        let norm = FoldedAffine(scale: scale, shift: shift)
        if window.stride == 1 {
            let activated = norm.activate(plane, window, into: scratch)
            DenseWindow(activated, window, edges).forEachSum(WindowKernel(kernel)) { index, sum in
                out.store(sum, index, before: window.outArea)
            }
        } else {
            PlaneSplit.split(plane, window, padding: 0, into: scratch) { norm.apply($0).rectified }
            WindowSum.forward(scratch, window, kernel: WindowKernel(kernel), out: out) { sum, _ in sum }
        }
    }

    public func depthwiseBackward(
        gradient: UnsafePointer<Float>, _ plane: UnsafePointer<Float>, _ window: PlaneWindow, _ edges: EdgeMasks,
        scale: Float, shift: Float, mean: Float, kernel: UnsafePointer<Float>,
        inputGradient: UnsafeMutablePointer<Float>, kernelGradient: UnsafeMutablePointer<Double>,
        scratch: UnsafeMutablePointer<Float>
    ) -> (sum: Float, weighted: Float) {
        let norm = FoldedAffine(scale: scale, shift: shift)
        let means = Lanes(repeating: mean)
        var sum = Lanes.zero
        var weighted = Lanes.zero
        /// The ReLU's mask, and the sums for the norm; `count` lanes from `index` on are in the plane.
        @inline(__always)
        func finish(_ gradient: Lanes, _ index: Int, _ count: Int) {
            let r = plane.lanes(index)
            var value = gradient.replacing(with: 0, where: norm.apply(r) .<= Lanes.zero)
            var product = value * (r - means)
            if count < laneCount {
                value = value.keeping(first: count)
                product = product.keeping(first: count)
            }
            sum += value
            weighted += product
            inputGradient.store(value, index, before: window.inArea)
        }

        if window.stride == 1 {
            let activated = norm.activate(plane, window, into: scratch)
            DenseWindow(activated, window, edges).correlate(gradient, into: kernelGradient)
            DenseWindow(gradient, window, edges).forEachSum(WindowKernel(kernel).reversed) { index, value in
                finish(value, index, window.inArea - index)
            }
            return (sum.total, weighted.total)
        }
        PlaneSplit.split(plane, window, padding: 0, into: scratch) { norm.apply($0).rectified }
        let origin = PlaneSplit.border(gradient, window, into: scratch) { value, _ in value }
        WindowSum.kernelGradient(scratch, origin, window, sums: kernelGradient)
        let taps = WindowKernel(kernel)
        let width = window.inWidth
        let line = scratch + window.lineOffset
        for y in 0..<window.inHeight {
            let row = WindowSum.inputGradient(row: y, origin, window, kernel: taps, line: line)
            for x in stride(from: 0, to: width, by: laneCount) {
                finish(row.lanes(x), y * width + x, width - x)
            }
        }
        return (sum.total, weighted.total)
    }
}

/// A batch norm folded to scale·r + shift.
private struct FoldedAffine {
    let scale: Lanes
    let shift: Lanes

    @inline(__always)
    init(scale: Float, shift: Float) {
        self.scale = Lanes(repeating: scale)
        self.shift = Lanes(repeating: shift)
    }

    @inline(__always)
    func apply(_ value: Lanes) -> Lanes { multiplyAdd(shift, value, scale) }

    /// max(scale·r + shift, 0) of a whole plane in `scratch`, between zeros: a product with a masked gradient must not
    /// meet a NaN. Returns where it begins.
    @inline(__always)
    func activate(
        _ plane: UnsafePointer<Float>, _ window: PlaneWindow, into scratch: UnsafeMutablePointer<Float>
    ) -> UnsafePointer<Float> {
        let start = scratch + PlaneWindow.slack
        for index in stride(from: 0, to: window.inArea, by: laneCount) {
            start.store(apply(plane.lanes(index)).rectified, index)
        }
        start.store(Lanes.zero, -laneCount)
        start.store(Lanes.zero, window.inArea)
        start.store(Lanes.zero, window.inArea + laneCount)
        return UnsafePointer(start)
    }
}
