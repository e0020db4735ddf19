internal import Kernels

#if WIDE_LANES
    private typealias TapLanes = SIMD16<Int32>
#else
    private typealias TapLanes = SIMD8<Int32>
#endif

extension LaneActivationKernels {
    func maxPoolForward(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, scale: Float, shift: Float,
        out: UnsafeMutablePointer<Scalar>, scratch: UnsafeMutablePointer<Float>
    ) {
        let norm = FoldedAffine(scale: scale, shift: shift)
        PlaneSplit.split(plane, window, padding: -.infinity, into: scratch) { norm.activate($0) }
        let origins = WindowSum.origins(scratch, window)
        for y in 0..<window.outHeight {
            var x = 0
            while x < window.outWidth {
                let flat = y * window.pitch + x
                var best = origins[0].lanes(flat)
                for tap in 1..<9 {
                    let value = origins[tap].lanes(flat)
                    best.replace(with: value, where: value .> best)
                }
                out.store(best, y * window.outWidth + x, before: window.outArea)
                x += laneCount
            }
        }
    }

    func maxPoolForward(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, scale: Float, shift: Float,
        out: UnsafeMutablePointer<Scalar>, taps: UnsafeMutablePointer<UInt8>, scratch: UnsafeMutablePointer<Float>
    ) {
        let norm = FoldedAffine(scale: scale, shift: shift)
        PlaneSplit.split(plane, window, padding: -.infinity, into: scratch) { norm.activate($0) }
        let origins = WindowSum.origins(scratch, window)
        for y in 0..<window.outHeight {
            var x = 0
            while x < window.outWidth {
                let flat = y * window.pitch + x
                var best = origins[0].lanes(flat)
                var source = TapLanes.zero
                for tap in 1..<9 {
                    let value = origins[tap].lanes(flat)
                    let isLarger = value .> best
                    best.replace(with: value, where: isLarger)
                    source.replace(with: Int32(truncatingIfNeeded: tap), where: isLarger)
                }
                let index = y * window.outWidth + x
                out.store(best, index, before: window.outArea)
                for lane in 0..<min(laneCount, window.outWidth - x) {
                    taps[index + lane] = UInt8(truncatingIfNeeded: source[lane])
                }
                x += laneCount
            }
        }
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
