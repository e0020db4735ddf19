internal import Kernels

extension LaneActivationKernels {
    func depthwiseForward(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, kernel: UnsafePointer<Float>,
        out: UnsafeMutablePointer<Scalar>, scratch: UnsafeMutablePointer<Float>
    ) {
        if window.stride == 1 {
            let dense = DenseWindow(Scalar.plane(plane, window, into: scratch), window)
            convolve(dense, window, kernel, out)
        } else {
            convolve(StridedWindow(plane, window), window, kernel, out) { $0 }
        }
    }

    func depthwiseForward(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, scale: Float, shift: Float,
        kernel: UnsafePointer<Float>, out: UnsafeMutablePointer<Scalar>, scratch: UnsafeMutablePointer<Float>
    ) {
        let norm = FoldedAffine(scale: scale, shift: shift)
        if window.stride == 1 {
            let activated = PlaneCopy.make(plane, window, into: scratch) { norm.activate($0) }
            convolve(DenseWindow(activated, window), window, kernel, out)
        } else {
            convolve(StridedWindow(plane, window), window, kernel, out) { norm.activate($0) }
        }
    }

    func depthwiseBackward(
        gradient: UnsafePointer<Scalar>, _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow,
        scale: Float, shift: Float, mean: Float, kernel: UnsafePointer<Float>,
        inputGradient: UnsafeMutablePointer<Scalar>, kernelGradient: UnsafeMutablePointer<Double>,
        scratch: UnsafeMutablePointer<Float>
    ) -> (sum: Float, weighted: Float) {
        let norm = FoldedAffine(scale: scale, shift: shift)
        let masked = MaskedGradient(plane, norm, mean: mean)
        if window.stride == 1 {
            let activated = PlaneCopy.make(plane, window, into: scratch) { norm.activate($0) }
            let gradient = Scalar.plane(gradient, window, into: scratch + window.denseCount)
            DenseWindow(activated, window).correlate(gradient, into: kernelGradient)
            return convolve(
                DenseWindow(gradient, window), window, WindowKernel(kernel).reversed, masked, inputGradient)
        }
        PlaneSplit.split(plane, window, padding: 0, into: scratch) { norm.activate($0) }
        let origin = PlaneSplit.border(gradient, window, into: scratch) { value, _ in value }
        WindowSum.kernelGradient(scratch, origin, window, sums: kernelGradient)
        return spread(origin, window, WindowKernel(kernel), masked, inputGradient, line: scratch + window.lineOffset)
    }

    @inline(__always)
    private func convolve(
        _ dense: DenseWindow, _ window: PlaneWindow, _ kernel: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Scalar>
    ) {
        dense.forEachSum(WindowKernel(kernel)) { index, _, sum in out.store(sum, index, before: window.outArea) }
    }

    @inline(__always)
    private func convolve(
        _ strided: StridedWindow<Scalar>, _ window: PlaneWindow, _ kernel: UnsafePointer<Float>,
        _ out: UnsafeMutablePointer<Scalar>, load: (Lanes) -> Lanes
    ) {
        strided.fold(
            into: out, outside: 0, load: load, begin: Lanes.zero,
            add: { sum, row, taps in
                sum = multiplyAdd(sum, taps.left, Lanes(repeating: kernel[3 * row]))
                sum = multiplyAdd(sum, taps.middle, Lanes(repeating: kernel[3 * row + 1]))
                sum = multiplyAdd(sum, taps.right, Lanes(repeating: kernel[3 * row + 2]))
            },
            end: { _, sum in sum })
    }

    // The gradients' loops are functions of their own: what is inlined into one that grew large may be left a call in
    // its innermost loop.

    /// The gradient at a dense convolution's input: the gradient at its output, convolved with the kernel turned round.
    @inline(never)
    private func convolve(
        _ dense: DenseWindow, _ window: PlaneWindow, _ kernel: WindowKernel, _ masked: MaskedGradient<Scalar>,
        _ out: UnsafeMutablePointer<Scalar>
    ) -> (sum: Float, weighted: Float) {
        var sum = Lanes.zero
        var weighted = Lanes.zero
        dense.forEachSum(kernel) { index, count, gradient in
            let (value, product) = masked.apply(gradient, index, count: count)
            sum += value
            weighted += product
            out.store(value, index, before: window.inArea)
        }
        return (sum.total, weighted.total)
    }

    /// The same at stride 2, from the bordered gradient.
    @inline(never)
    private func spread(
        _ origin: UnsafePointer<Float>, _ window: PlaneWindow, _ kernel: WindowKernel, _ masked: MaskedGradient<Scalar>,
        _ out: UnsafeMutablePointer<Scalar>, line: UnsafeMutablePointer<Float>
    ) -> (sum: Float, weighted: Float) {
        var sum = Lanes.zero
        var weighted = Lanes.zero
        let width = window.inWidth
        for y in 0..<window.inHeight {
            let row = WindowSum.inputGradient(row: y, origin, window, kernel: kernel, line: line)
            for x in stride(from: 0, to: width, by: laneCount) {
                let index = y * width + x
                let (value, product) = masked.apply(row.lanes(x), index, count: width - x)
                sum += value
                weighted += product
                out.store(value, index, before: window.inArea)
            }
        }
        return (sum.total, weighted.total)
    }
}

/// The gradient under the ReLU of max(norm(r), 0).
private struct MaskedGradient<Scalar: LaneScalar> {
    private let plane: UnsafePointer<Scalar>
    private let norm: FoldedAffine
    private let mean: Lanes

    @inline(__always)
    init(_ plane: UnsafePointer<Scalar>, _ norm: FoldedAffine, mean: Float) {
        self.plane = plane
        self.norm = norm
        self.mean = Lanes(repeating: mean)
    }

    /// The gradient of the elements from `index` on, and its product with r − mean; zero from lane `count` on.
    @inline(__always)
    func apply(_ gradient: Lanes, _ index: Int, count: Int) -> (value: Lanes, product: Lanes) {
        let r = plane.lanes(index)
        let value = gradient.replacing(with: 0, where: norm.apply(r) .<= Lanes.zero)
        let product = value * (r - mean)
        return count < laneCount ? (value.keeping(first: count), product.keeping(first: count)) : (value, product)
    }
}
