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
        StridedWindow(plane, window).fold(
            into: out, outside: -.infinity, load: { $0 }, begin: Lanes(repeating: -.infinity),
            add: { best, _, taps in best = best.larger(taps.left).larger(taps.middle).larger(taps.right) },
            end: { _, best in best })
    }

    func maxPoolForward(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, scale: Float, shift: Float,
        out: UnsafeMutablePointer<Scalar>, taps places: UnsafeMutablePointer<UInt8>
    ) {
        let norm = FoldedAffine(scale: scale, shift: shift)
        StridedWindow(plane, window).fold(
            into: out, outside: -.infinity, load: { norm.activate($0) },
            begin: (best: Lanes(repeating: -.infinity), place: TapLanes.zero),
            add: { state, row, taps in
                @inline(__always)
                func take(_ value: Lanes, _ tap: Int) {
                    let isLarger = value .> state.best
                    state.best.replace(with: value, where: isLarger)
                    state.place.replace(with: Int32(truncatingIfNeeded: 3 * row + tap), where: isLarger)
                }
                take(taps.left, 0)
                take(taps.middle, 1)
                take(taps.right, 2)
            },
            end: { index, state in
                Self.store(state.place, places + index, count: window.outArea - index)
                return state.best
            })
    }

    /// Places, a byte each.
    @inline(__always)
    private static func store(_ places: TapLanes, _ address: UnsafeMutablePointer<UInt8>, count: Int) {
        #if WIDE_LANES
            clanes16_store_bytes(address, places, min(count, laneCount))
        #else
            clanes8_store_bytes(address, places, min(count, laneCount))
        #endif
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
