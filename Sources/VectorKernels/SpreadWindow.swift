internal import Kernels

/// The gradient at a window's outputs.
protocol WindowGradient {
    /// What the outputs from `index` on give to their input `tap`.
    func lanes(_ index: Int, tap: Int) -> Lanes
}

/// Where vectors of sums go.
protocol SumSink {
    /// Of the sums from `index` on, the first `count` lanes mean something. The others may be stored: vectors come in such
    /// an order that what lies there is overwritten.
    mutating func take(_ sum: Lanes, index: Int, count: Int)
}

/// Stores sums as they are, `[count]`.
struct StoredSums<Scalar: LaneScalar>: SumSink {
    let out: UnsafeMutablePointer<Scalar>
    let count: Int

    @inline(__always)
    func take(_ sum: Lanes, index: Int, count: Int) { out.store(sum, index, before: self.count) }
}

/// The same for each tap.
struct PlainGradient<Scalar: LaneScalar>: WindowGradient {
    let pointer: UnsafePointer<Scalar>

    @inline(__always)
    func lanes(_ index: Int, tap: Int) -> Lanes { pointer.lanes(index) }
}

/// The way back of the 3×3 window at stride 2: what the gradient at each output gives to the inputs under its window.
///
/// One element before the outputs' gradient and 17 after it may be read.
struct SpreadWindow<Gradient: WindowGradient> {
    private let gradient: Gradient
    private let window: PlaneWindow

    @inline(__always)
    init(_ gradient: Gradient, _ window: PlaneWindow) {
        self.gradient = gradient
        self.window = window
    }

    /// Gives the sink, for each input, Σ_t kernel[t] · gradient at the output whose tap t the input is.
    @inline(__always)
    func spread(kernel: UnsafePointer<Float>, into sink: inout some SumSink) {
        let shift = window.padLeft
        var x = (window.outWidth - 1) / laneCount * laneCount
        while x >= 0 {
            // Every second input lies under its `own` output only, those between under two: `near`, further right, and
            // `far`.
            let ownInside = Lanes.bits(from: 0, to: window.outWidth - x)
            let nearInside = Lanes.bits(from: 0, to: window.outWidth - x - shift)
            let farInside = Lanes.bits(from: x + shift == 0 ? 1 : 0, to: window.outWidth - x + 1 - shift)
            for y in 0..<window.inHeight {
                var single = Lanes.zero
                var double = Lanes.zero
                var row = (y + window.padTop) / 2
                var tap = 3 * ((y + window.padTop) % 2)
                while tap < 9 {
                    if (0..<window.outHeight).contains(row) {
                        let start = row * window.outWidth + x + shift
                        let near = gradient.lanes(start, tap: tap).masked(by: nearInside)
                        let far = gradient.lanes(start - 1, tap: tap + 2).masked(by: farInside)
                        let own = gradient.lanes(start - shift, tap: tap + 1).masked(by: ownInside)
                        single = multiplyAdd(single, own, Lanes(repeating: kernel[tap + 1]))
                        double = multiplyAdd(double, near, Lanes(repeating: kernel[tap]))
                        double = multiplyAdd(double, far, Lanes(repeating: kernel[tap + 2]))
                    }
                    row -= 1
                    tap += 6
                }
                let pair = shift == 0 ? Lanes.interleaved(double, single) : Lanes.interleaved(single, double)
                let count = window.inWidth - 2 * x
                let index = y * window.inWidth + 2 * x
                sink.take(pair.0, index: index, count: count)
                if count > laneCount { sink.take(pair.1, index: index + laneCount, count: count - laneCount) }
            }
            x -= laneCount
        }
    }
}
