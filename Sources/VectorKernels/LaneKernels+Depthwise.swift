internal import Kernels

extension LaneActivationKernels {
    func depthwiseForward(
        _ planes: UnsafePointer<Scalar>, count: Int, _ window: PlaneWindow, kernel: UnsafePointer<Float>,
        out: UnsafeMutablePointer<Scalar>, scratch: UnsafeMutablePointer<Float>
    ) {
        if window.stride == 1 {
            window.forEachBatch(of: count) { first, count in
                let dense = Scalar.dense(planes + first * window.inArea, count: count, window, into: scratch)
                convolve(dense, count, window, kernel, out + first * window.outArea)
            }
        } else {
            convolve(planes, count, window, Unchanged(), kernel, out)
        }
    }

    func depthwiseForward(
        _ planes: UnsafePointer<Scalar>, count: Int, _ window: PlaneWindow, scale: Float, shift: Float,
        kernel: UnsafePointer<Float>, out: UnsafeMutablePointer<Scalar>, scratch: UnsafeMutablePointer<Float>
    ) {
        let norm = FoldedAffine(scale: scale, shift: shift)
        if window.stride == 1 {
            window.forEachBatch(of: count) { first, count in
                let dense = DensePlanes(
                    copying: planes + first * window.inArea, count: count, window, norm, into: scratch)
                convolve(dense, count, window, kernel, out + first * window.outArea)
            }
        } else {
            convolve(planes, count, window, norm, kernel, out)
        }
    }

    @inline(__always)
    private func convolve(
        _ planes: DensePlanes, _ count: Int, _ window: PlaneWindow, _ kernel: UnsafePointer<Float>,
        _ out: UnsafeMutablePointer<Scalar>
    ) {
        let kernel = WindowKernel(kernel)
        for plane in 0..<count {
            var sums = StoredSums(out: out + plane * window.outArea, count: window.outArea)
            DenseWindow(planes[plane], window).convolve(kernel, into: &sums)
        }
    }

    /// At stride 2.
    @inline(__always)
    private func convolve(
        _ planes: UnsafePointer<Scalar>, _ count: Int, _ window: PlaneWindow, _ change: some LaneChange,
        _ kernel: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Scalar>
    ) {
        let kernel = WindowKernel(kernel)
        for plane in 0..<count {
            StridedWindow(planes + plane * window.inArea, window, change)
                .convolve(kernel, into: out + plane * window.outArea)
        }
    }

    func depthwiseBackward(
        gradient: UnsafePointer<Scalar>, _ planes: UnsafePointer<Scalar>, count: Int, _ window: PlaneWindow,
        scale: Float, shift: Float, mean: Float, kernel: UnsafePointer<Float>,
        inputGradient: UnsafeMutablePointer<Scalar>, kernelGradient: UnsafeMutablePointer<Double>,
        scratch: UnsafeMutablePointer<Float>
    ) -> (sum: Double, weighted: Double) {
        let norm = FoldedAffine(scale: scale, shift: shift)
        var sums = (sum: 0.0, weighted: 0.0)
        window.forEachBatch(of: count) { first, count in
            let planes = planes + first * window.inArea
            let gradient = gradient + first * window.outArea
            var masked = MaskedGradient(
                planes, norm, mean: mean, out: inputGradient + first * window.inArea, count: window.inArea)
            if window.stride == 1 {
                let activated = DensePlanes(copying: planes, count: count, window, norm, into: scratch)
                let dense = Scalar.dense(gradient, count: count, window, into: scratch + window.denseCount)
                DenseWindow.correlate(activated, dense, count: count, window, into: kernelGradient)
                let kernel = WindowKernel(reversed: kernel)
                for plane in 0..<count {
                    DenseWindow(dense[plane], window).convolve(kernel, into: &masked)
                    masked.advance()
                }
            } else {
                StridedWindow(planes, window, norm).correlate(gradient, count: count, into: kernelGradient)
                for plane in 0..<count {
                    SpreadWindow(PlainGradient(pointer: gradient + plane * window.outArea), window)
                        .spread(kernel: kernel, into: &masked)
                    masked.advance()
                }
            }
            let totals = masked.totals
            sums.sum += Double(totals.sum)
            sums.weighted += Double(totals.weighted)
        }
        return sums
    }
}

extension PlaneWindow {
    /// Calls `body` with each batch's first plane and number of planes.
    @inline(__always)
    fileprivate func forEachBatch(of count: Int, _ body: (_ first: Int, _ count: Int) -> Void) {
        for first in Swift.stride(from: 0, to: count, by: batch) { body(first, min(batch, count - first)) }
    }
}

/// The gradient under the ReLU of max(norm(r), 0), and its sums for the norm.
private struct MaskedGradient<Scalar: LaneScalar>: SumSink {
    private var plane: UnsafePointer<Scalar>
    private let norm: FoldedAffine
    private let mean: Lanes
    private var out: UnsafeMutablePointer<Scalar>
    private let count: Int
    private var sum = Lanes.zero
    private var weighted = Lanes.zero

    @inline(__always)
    init(
        _ plane: UnsafePointer<Scalar>, _ norm: FoldedAffine, mean: Float, out: UnsafeMutablePointer<Scalar>, count: Int
    ) {
        self.plane = plane
        self.norm = norm
        self.mean = Lanes(repeating: mean)
        self.out = out
        self.count = count
    }

    @inline(__always)
    mutating func take(_ gradient: Lanes, index: Int, count: Int) {
        let r = plane.lanes(index)
        var value = gradient.replacing(with: 0, where: norm.norm(r) .<= Lanes.zero)
        var product = value * (r - mean)
        if count < laneCount {
            value = value.keeping(first: count)
            product = product.keeping(first: count)
        }
        sum += value
        weighted += product
        out.store(value, index, before: self.count)
    }

    /// Goes on to the next plane.
    @inline(__always)
    mutating func advance() {
        plane += count
        out += count
    }

    /// Σ gradient and Σ gradient · (r − mean).
    @inline(__always)
    var totals: (sum: Float, weighted: Float) { (sum.total, weighted.total) }
}
