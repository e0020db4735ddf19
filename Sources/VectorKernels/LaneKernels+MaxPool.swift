internal import CLanes
internal import Kernels

#if WIDE_LANES
    private typealias TapLanes = SIMD16<Int32>
#else
    private typealias TapLanes = SIMD8<Int32>
#endif

extension LaneActivationKernels {
    func maxPoolForward(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, out: UnsafeMutablePointer<Scalar>
    ) {
        StridedWindow(plane, window, Unchanged()).fold(Maximum(), outside: -.infinity, into: out)
    }

    func maxPoolForward(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, scale: Float, shift: Float,
        out: UnsafeMutablePointer<Scalar>, taps: UnsafeMutablePointer<UInt8>
    ) {
        StridedWindow(plane, window, FoldedAffine(scale: scale, shift: shift))
            .fold(PlacedMaximum(taps, count: window.outArea), outside: -.infinity, into: out)
    }

    func maxPoolGradientSums(
        gradient: UnsafePointer<Scalar>, out: UnsafePointer<Scalar>, taps: UnsafePointer<UInt8>,
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, mean: Float
    ) -> (sum: Float, weighted: Float) {
        var sum: Float = 0
        var weighted: Float = 0
        forEachMaximum(out: out, taps: taps, window) { index, source in
            let value = gradient[index].float
            sum += value
            weighted += value * (plane[source].float - mean)
        }
        return (sum, weighted)
    }

    func maxPoolBackward(
        gradient: UnsafePointer<Scalar>, out: UnsafePointer<Scalar>, taps: UnsafePointer<UInt8>,
        _ window: PlaneWindow, factor: Float, inputGradient: UnsafeMutablePointer<Scalar>
    ) {
        forEachMaximum(out: out, taps: taps, window) { index, source in
            inputGradient[source] = Scalar(rounding: inputGradient[source].float + factor * gradient[index].float)
        }
    }

    /// Calls `body(index in out, index in the plane)` where the ReLU was open.
    @inline(__always)
    private func forEachMaximum(
        out: UnsafePointer<Scalar>, taps: UnsafePointer<UInt8>, _ window: PlaneWindow, _ body: (Int, Int) -> Void
    ) {
        for y in 0..<window.outHeight {
            for x in 0..<window.outWidth {
                let index = y * window.outWidth + x
                if out[index].float <= 0 { continue }
                let tap = Int(taps[index])
                let row = 2 * y + tap / 3 - window.padTop
                body(index, row * window.inWidth + 2 * x + tap % 3 - window.padLeft)
            }
        }
    }
}

private struct Maximum: WindowFold {
    private var best = Lanes.zero

    @inline(__always)
    mutating func begin() { best = Lanes(repeating: -.infinity) }

    @inline(__always)
    mutating func add(row: Int, left: Lanes, middle: Lanes, right: Lanes) {
        best = best.larger(left).larger(middle).larger(right)
    }

    @inline(__always)
    func end(index: Int) -> Lanes { best }
}

/// The maximum and the tap it came from, a byte each.
private struct PlacedMaximum: WindowFold {
    private let taps: UnsafeMutablePointer<UInt8>
    private let count: Int
    private var best = Lanes.zero
    private var place = TapLanes.zero

    @inline(__always)
    init(_ taps: UnsafeMutablePointer<UInt8>, count: Int) {
        self.taps = taps
        self.count = count
    }

    @inline(__always)
    mutating func begin() {
        best = Lanes(repeating: -.infinity)
        place = .zero
    }

    @inline(__always)
    mutating func add(row: Int, left: Lanes, middle: Lanes, right: Lanes) {
        take(left, 3 * row)
        take(middle, 3 * row + 1)
        take(right, 3 * row + 2)
    }

    @inline(__always)
    private mutating func take(_ value: Lanes, _ tap: Int) {
        let isLarger = value .> best
        best.replace(with: value, where: isLarger)
        place.replace(with: Int32(truncatingIfNeeded: tap), where: isLarger)
    }

    @inline(__always)
    func end(index: Int) -> Lanes {
        #if WIDE_LANES
            clanes16_store_bytes(taps + index, place, min(count - index, laneCount))
        #else
            clanes8_store_bytes(taps + index, place, min(count - index, laneCount))
        #endif
        return best
    }
}
