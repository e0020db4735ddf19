public import Kernels

#if WIDE_LANES
    private typealias TapLanes = SIMD16<Int32>
#else
    private typealias TapLanes = SIMD8<Int32>
#endif

extension LaneKernels {
    public func maxPoolForward(
        _ plane: UnsafePointer<Float>, _ window: PlaneWindow, scale: Float, shift: Float,
        out: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
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

    public func maxPoolForward(
        _ plane: UnsafePointer<Float>, _ window: PlaneWindow, scale: Float, shift: Float,
        out: UnsafeMutablePointer<Float>, taps: UnsafeMutablePointer<UInt8>, scratch: UnsafeMutablePointer<Float>
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
}
