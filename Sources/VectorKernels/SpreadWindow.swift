internal import CLanes
internal import Kernels

/// The gradient at a window's outputs.
protocol WindowGradient {
    /// The vector from `index` on.
    func lanes(_ index: Int) -> Lanes
}

/// What becomes of a vector of sums before it is stored.
protocol SumChange {
    /// Of the sums from `index` on, the first `count` lanes mean something.
    mutating func apply(_ sum: Lanes, index: Int, count: Int) -> Lanes
}

/// Sums as they are.
struct UnchangedSum: SumChange {
    @inline(__always)
    func apply(_ sum: Lanes, index: Int, count: Int) -> Lanes { sum }
}

extension UnsafePointer: WindowGradient where Pointee: LaneScalar {}

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

    /// `out[input] = Σ_t kernel[t] · gradient at the output whose tap t the input is`, changed by `change`.
    ///
    /// The strips come from right to left: what whole vectors left beyond a row's end is overwritten.
    @inline(__always)
    func spread<Scalar: LaneScalar>(
        kernel: UnsafePointer<Float>, _ change: inout some SumChange, into out: UnsafeMutablePointer<Scalar>
    ) {
        let shift = window.padLeft
        var x = (window.outWidth - 1) / laneCount * laneCount
        while x >= 0 {
            // Every second input lies under one output only, those between under two: `near`, further right, and `far`.
            let nearInside = Lanes.bits(from: 0, to: window.outWidth - x - shift)
            let farInside = Lanes.bits(from: x + shift == 0 ? 1 : 0, to: window.outWidth - x + 1 - shift)
            for y in 0..<window.inHeight {
                var single = Lanes.zero
                var double = Lanes.zero
                var row = (y + window.padTop) / 2
                var taps = kernel + 3 * ((y + window.padTop) % 2)
                while taps < kernel + 9 {
                    if (0..<window.outHeight).contains(row) {
                        let start = row * window.outWidth + x + shift
                        let near = gradient.lanes(start).masked(by: nearInside)
                        let far = gradient.lanes(start - 1).masked(by: farInside)
                        single = multiplyAdd(single, shift == 0 ? near : far, Lanes(repeating: taps[1]))
                        double = multiplyAdd(double, near, Lanes(repeating: taps[0]))
                        double = multiplyAdd(double, far, Lanes(repeating: taps[2]))
                    }
                    row -= 1
                    taps += 6
                }
                let pair = shift == 0 ? Lanes.interleaved(double, single) : Lanes.interleaved(single, double)
                let count = window.inWidth - 2 * x
                let index = y * window.inWidth + 2 * x
                out.store(change.apply(pair.0, index: index, count: count), index, before: window.inArea)
                if count > laneCount {
                    let second = index + laneCount
                    out.store(
                        change.apply(pair.1, index: second, count: count - laneCount), second, before: window.inArea)
                }
            }
            x -= laneCount
        }
    }
}
