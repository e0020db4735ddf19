internal import Kernels

/// What a window's rows come to, for a vector of outputs.
///
/// A type and not closures, here and where windows are gone over: a closure that is called from two places, or in a
/// function that grew large, stays a call in the innermost loop.
protocol WindowFold {
    /// The state before the first row.
    mutating func begin()
    /// Takes one of the rows 0 to 2, only those inside the plane.
    mutating func add(row: Int, left: Lanes, middle: Lanes, right: Lanes)
    /// The outputs from `index` on.
    mutating func end(index: Int) -> Lanes
}

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
/// Up to 16 elements before the plane and 32 after it are read.
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

    /// Folds the windows and stores what comes of them in `out`. Inputs beside the plane are `outside`.
    ///
    /// The strips come from right to left: what whole vectors left beyond a row's end is overwritten.
    @inline(__always)
    func fold(_ fold: some WindowFold, outside: Float, into out: UnsafeMutablePointer<Scalar>) {
        var fold = fold
        var x = (window.outWidth - 1) / laneCount * laneCount
        while x >= 0 {
            let edges = Edges(x, window, outside)
            for y in 0..<window.outHeight {
                let top = 2 * y - window.padTop
                var source = plane + (top * window.inWidth + 2 * x - window.padLeft)
                fold.begin()
                for row in 0..<3 {
                    if (0..<window.inHeight).contains(top + row) {
                        let (left, middle, right) = edges.taps(source, change)
                        fold.add(row: row, left: left, middle: middle, right: right)
                    }
                    source += window.inWidth
                }
                let index = y * window.outWidth + x
                out.store(fold.end(index: index), index, before: window.outArea)
            }
            x -= laneCount
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
            let edges = Edges(x, window, 0)
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
                        let (left, middle, right) = edges.taps(row, change)
                        first.add(left, middle, right, current)
                        third.add(left, middle, right, above)
                    }
                    row += window.inWidth
                    if isOutput && (0..<window.inHeight).contains(source + 1) {
                        let (left, middle, right) = edges.taps(row, change)
                        second.add(left, middle, right, current)
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

    /// Which lanes of a strip have their taps inside the plane, and what the others get.
    ///
    /// As bits: of comparisons kept for later the compiler makes one a lane.
    private struct Edges {
        private let left: Edge
        private let middle: Edge
        private let right: Edge

        @inline(__always)
        init(_ x: Int, _ window: PlaneWindow, _ outside: Float) {
            let end = window.inWidth + window.padLeft
            left = Edge(from: x == 0 ? window.padLeft : 0, to: (end + 1) / 2 - x, outside)
            middle = Edge(from: 0, to: end / 2 - x, outside)
            right = Edge(from: 0, to: (end - 1) / 2 - x, outside)
        }

        /// One row's inputs to a vector of outputs: those to the left, in the middle and to the right of each.
        @inline(__always)
        func taps(_ row: UnsafePointer<Scalar>, _ change: Change) -> (left: Lanes, middle: Lanes, right: Lanes) {
            let pair = row.split(0)
            return (
                left.apply(change.apply(pair.even)), middle.apply(change.apply(pair.odd)),
                right.apply(change.apply(row.split(2).even))
            )
        }
    }

    private struct Edge {
        private let inside: LaneBits
        private let outside: LaneBits

        @inline(__always)
        init(from start: Int, to end: Int, _ value: Float) {
            inside = Lanes.bits(from: start, to: end)
            outside = unsafeBitCast(Lanes(repeating: value), to: LaneBits.self) & ~inside
        }

        @inline(__always)
        func apply(_ value: Lanes) -> Lanes {
            unsafeBitCast(unsafeBitCast(value, to: LaneBits.self) & inside | outside, to: Lanes.self)
        }
    }
}
