internal import Kernels

extension LaneActivationKernels {
    func depthwiseForward(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, kernel: UnsafePointer<Float>,
        out: UnsafeMutablePointer<Scalar>, scratch: UnsafeMutablePointer<Float>
    ) {
        if window.stride == 1 {
            convolve(Scalar.plane(plane, window, into: scratch), window, kernel, out)
        } else {
            StridedWindow(plane, window, Unchanged()).fold(Convolution(kernel), outside: 0, into: out)
        }
    }

    func depthwiseForward(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, scale: Float, shift: Float,
        kernel: UnsafePointer<Float>, out: UnsafeMutablePointer<Scalar>, scratch: UnsafeMutablePointer<Float>
    ) {
        let norm = FoldedAffine(scale: scale, shift: shift)
        if window.stride == 1 {
            convolve(PlaneCopy.make(plane, window, norm, into: scratch), window, kernel, out)
        } else {
            StridedWindow(plane, window, norm).fold(Convolution(kernel), outside: 0, into: out)
        }
    }

    @inline(__always)
    private func convolve(
        _ plane: UnsafePointer<Float>, _ window: PlaneWindow, _ kernel: UnsafePointer<Float>,
        _ out: UnsafeMutablePointer<Scalar>
    ) {
        var sums = StoredSums(out: out, count: window.outArea)
        DenseWindow(plane, window).convolve(WindowKernel(kernel), into: &sums)
    }

    func depthwiseBackward(
        gradient: UnsafePointer<Scalar>, _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow,
        scale: Float, shift: Float, mean: Float, kernel: UnsafePointer<Float>,
        inputGradient: UnsafeMutablePointer<Scalar>, kernelGradient: UnsafeMutablePointer<Double>,
        scratch: UnsafeMutablePointer<Float>
    ) -> (sum: Float, weighted: Float) {
        let norm = FoldedAffine(scale: scale, shift: shift)
        var masked = MaskedGradient(plane, norm, mean: mean, out: inputGradient, count: window.inArea)
        if window.stride == 1 {
            let activated = PlaneCopy.make(plane, window, norm, into: scratch)
            let gradient = Scalar.plane(gradient, window, into: scratch + window.denseCount)
            DenseWindow(activated, window).correlate(gradient, into: kernelGradient)
            DenseWindow(gradient, window).convolve(WindowKernel(reversed: kernel), into: &masked)
        } else {
            StridedWindow(plane, window, norm).correlate(gradient, into: kernelGradient)
            SpreadWindow(PlainGradient(pointer: gradient), window).spread(kernel: kernel, into: &masked)
        }
        return masked.totals
    }
}

/// Σ kernel[t] · tap t.
private struct Convolution: WindowFold {
    private let kernel: UnsafePointer<Float>
    private var sum = Lanes.zero

    @inline(__always)
    init(_ kernel: UnsafePointer<Float>) { self.kernel = kernel }

    @inline(__always)
    mutating func begin() { sum = .zero }

    @inline(__always)
    mutating func add(row: Int, left: Lanes, middle: Lanes, right: Lanes) {
        sum = multiplyAdd(sum, left, Lanes(repeating: kernel[3 * row]))
        sum = multiplyAdd(sum, middle, Lanes(repeating: kernel[3 * row + 1]))
        sum = multiplyAdd(sum, right, Lanes(repeating: kernel[3 * row + 2]))
    }

    @inline(__always)
    func end(index: Int) -> Lanes { sum }
}

/// The gradient under the ReLU of max(norm(r), 0), and its sums for the norm.
private struct MaskedGradient<Scalar: LaneScalar>: SumSink {
    private let plane: UnsafePointer<Scalar>
    private let norm: FoldedAffine
    private let mean: Lanes
    private let out: UnsafeMutablePointer<Scalar>
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

    /// Σ gradient and Σ gradient · (r − mean).
    @inline(__always)
    var totals: (sum: Float, weighted: Float) { (sum.total, weighted.total) }
}
