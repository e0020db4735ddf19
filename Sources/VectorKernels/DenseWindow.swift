internal import Kernels

/// The 3×3 window at stride 1 over a plane as it lies, in strips of a vector's width from top to bottom: a row is loaded
/// once for the three rows of outputs that it is part of.
///
/// One element before the plane and a vector's length after it are read.
struct DenseWindow {
    private let plane: UnsafePointer<Float>
    private let height: Int
    private let width: Int

    @inline(__always)
    init(_ plane: UnsafePointer<Float>, _ window: PlaneWindow) {
        self.plane = plane
        height = window.inHeight
        width = window.inWidth
    }

    /// Gives the sink Σ_t kernel[t] · tap t of each output. The strips come from right to left.
    @inline(__always)
    func convolve(_ kernel: WindowKernel, into sink: inout some SumSink) {
        var x = (width - 1) / laneCount * laneCount
        while x >= 0 {
            let strip = Strip(x, width: width)
            var index = x
            var row = plane + index
            var taps = strip.taps(row)
            // Output rows that wait for input rows below them: this one and the next.
            var sum = taps.sum(kernel.k3, kernel.k4, kernel.k5)
            var next = taps.sum(kernel.k0, kernel.k1, kernel.k2)
            for y in 0..<height {
                if y + 1 < height {
                    row += width
                    taps = strip.taps(row)
                    sum = taps.adding(to: sum, kernel.k6, kernel.k7, kernel.k8)
                }
                sink.take(sum, index: index, count: strip.count)
                sum = taps.adding(to: next, kernel.k3, kernel.k4, kernel.k5)
                next = taps.sum(kernel.k0, kernel.k1, kernel.k2)
                index += width
            }
            x -= laneCount
        }
    }

    /// `sums[t] += Σ gradient · tap t` over `count` planes. What lies around these must be finite.
    @inline(__always)
    static func correlate(
        _ planes: DensePlanes, _ gradients: DensePlanes, count: Int, _ window: PlaneWindow,
        into sums: UnsafeMutablePointer<Double>
    ) {
        var first = TapSums()
        var second = TapSums()
        var third = TapSums()
        let height = window.inHeight
        let width = window.inWidth
        for x in stride(from: 0, to: width, by: laneCount) {
            let strip = Strip(x, width: width)
            for plane in 0..<count {
                var row = planes[plane] + x
                var gradient = gradients[plane] + x
                var above = Lanes.zero
                var current = gradient.lanes(0).masked(by: strip.inside)
                for y in 0..<height {
                    gradient += width
                    let below = y + 1 < height ? gradient.lanes(0).masked(by: strip.inside) : Lanes.zero
                    let taps = strip.taps(row)
                    first.add(taps, below)
                    second.add(taps, current)
                    third.add(taps, above)
                    above = current
                    current = below
                    row += width
                }
            }
        }
        first.store(sums)
        second.store(sums + 3)
        third.store(sums + 6)
    }

    /// A vector's width of columns.
    private struct Strip {
        /// Columns of the plane.
        let count: Int
        /// Lanes of the plane, and those that have a neighbour to the left and to the right.
        let inside: LaneBits
        let left: LaneBits
        let right: LaneBits

        @inline(__always)
        init(_ x: Int, width: Int) {
            count = min(width - x, laneCount)
            inside = Lanes.bits(from: 0, to: width - x)
            left = Lanes.bits(from: x == 0 ? 1 : 0, to: laneCount)
            right = Lanes.bits(from: 0, to: width - 1 - x)
        }

        @inline(__always)
        func taps(_ row: UnsafePointer<Float>) -> WindowTaps {
            WindowTaps(
                left: row.lanes(-1).masked(by: left), middle: row.lanes(0), right: row.lanes(1).masked(by: right))
        }
    }
}
