internal import Kernels

/// A change of inputs on their way into a window.
protocol LaneChange {
    func apply(_ value: Lanes) -> Lanes
}

/// Inputs as they lie.
struct Unchanged: LaneChange {
    @inline(__always)
    func apply(_ value: Lanes) -> Lanes { value }
}

/// The 3×3 window at stride 2 over a plane as it lies, a vector of outputs at a time.
///
/// Up to 16 elements before the plane and 48 after it are read.
struct StridedWindow<Scalar: LaneScalar, Change: LaneChange> {
    private let plane: UnsafePointer<Scalar>
    private let window: PlaneWindow
    private let change: Change

    @inline(__always)
    init(_ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, _ change: Change) {
        self.plane = plane
        self.window = window
        self.change = change
    }

    /// Stores the largest input under each window, as `maximum` has it, in `out`, and its place where that keeps it.
    ///
    /// The strips come from right to left: what whole vectors left beyond a row's end is overwritten.
    @inline(__always)
    func findMaxima(_ maximum: PlacedMaximum<Scalar>, into out: UnsafeMutablePointer<Scalar>) {
        var maximum = maximum
        var x = (window.outWidth - 1) / laneCount * laneCount
        while x >= 0 {
            // A NaN is larger than nothing.
            let edges = WindowEdges(x, window, outside: .nan)
            for y in 0..<window.outHeight {
                let top = 2 * y - window.padTop
                var source = plane + (top * window.inWidth + 2 * x - window.padLeft)
                maximum.begin()
                for row in 0..<3 {
                    if (0..<window.inHeight).contains(top + row) {
                        maximum.add(row: row, taps(source, edges))
                    }
                    source += window.inWidth
                }
                let index = y * window.outWidth + x
                out.store(maximum.end(index: index), index, before: window.outArea)
            }
            x -= laneCount
        }
    }

    /// Stores Σ_t kernel[t] · tap t of each output in `out`. Each row is loaded once for the outputs above and below it.
    ///
    /// The strips come from right to left, as in `findMaxima`.
    @inline(__always)
    func convolve(_ kernel: WindowKernel, into out: UnsafeMutablePointer<Scalar>) {
        let none = WindowTaps(repeating: Lanes.zero)
        var x = (window.outWidth - 1) / laneCount * laneCount
        while x >= 0 {
            let edges = WindowEdges(x, window, outside: 0)
            let start = plane + (2 * x - window.padLeft)
            var next = row(-window.padTop).sum(kernel.k0, kernel.k1, kernel.k2)
            for y in 0..<window.outHeight {
                let top = 2 * y - window.padTop
                let upper = row(top + 1).adding(to: next, kernel.k3, kernel.k4, kernel.k5)
                let last = row(top + 2)
                next = last.sum(kernel.k0, kernel.k1, kernel.k2)
                let index = y * window.outWidth + x
                out.store(
                    last.adding(to: upper, kernel.k6, kernel.k7, kernel.k8), index, before: window.outArea)
            }
            x -= laneCount

            @inline(__always)
            func row(_ y: Int) -> WindowTaps {
                (0..<window.inHeight).contains(y) ? wholeTaps(start + y * window.inWidth, edges) : none
            }
        }
    }

    /// `sums[t] += Σ gradient · tap t`: the gradient of a kernel from that at its outputs, over this plane and those that
    /// follow it, `count` in all.
    @inline(__always)
    func correlate(
        _ gradient: UnsafePointer<Scalar>, count: Int, into sums: UnsafeMutablePointer<Double>
    ) {
        var first = TapSums()
        var second = TapSums()
        var third = TapSums()
        for x in stride(from: 0, to: window.outWidth, by: laneCount) {
            let edges = WindowEdges(x, window, outside: 0)
            let inside = Lanes.bits(from: 0, to: window.outWidth - x)
            for image in 0..<count {
                let gradient = gradient + (image * window.outArea + x)
                var row = plane + (image * window.inArea - window.padTop * window.inWidth + 2 * x - window.padLeft)
                var above = Lanes.zero
                // Every second row of inputs is an output's first and the last of the one above.
                for y in 0...window.outHeight {
                    let isOutput = y < window.outHeight
                    let current = isOutput ? gradient.lanes(y * window.outWidth).masked(by: inside) : Lanes.zero
                    let source = 2 * y - window.padTop
                    if (0..<window.inHeight).contains(source) {
                        let taps = taps(row, edges)
                        first.add(taps, current)
                        third.add(taps, above)
                    }
                    row += window.inWidth
                    if isOutput && (0..<window.inHeight).contains(source + 1) {
                        second.add(taps(row, edges), current)
                    }
                    row += window.inWidth
                    above = current
                }
            }
        }
        first.store(sums)
        second.store(sums + 3)
        third.store(sums + 6)
    }

    /// One row's taps from `row` on, without loading a vector that lies across two. It takes more registers than `taps`,
    /// which pays where few sums are under way.
    @inline(__always)
    private func wholeTaps(_ row: UnsafePointer<Scalar>, _ edges: WindowEdges) -> WindowTaps {
        edges.apply(changed(Scalar.taps(Scalar.parts(row))))
    }

    /// One row's taps from `row` on.
    @inline(__always)
    private func taps(_ row: UnsafePointer<Scalar>, _ edges: WindowEdges) -> WindowTaps {
        let pair = row.split(0)
        return edges.apply(changed(WindowTaps(left: pair.even, middle: pair.odd, right: row.split(2).even)))
    }

    @inline(__always)
    private func changed(_ taps: WindowTaps) -> WindowTaps {
        WindowTaps(left: change.apply(taps.left), middle: change.apply(taps.middle), right: change.apply(taps.right))
    }
}
