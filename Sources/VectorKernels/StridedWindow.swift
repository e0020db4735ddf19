internal import Kernels

/// The 3×3 window at stride 2 over a plane as it lies, a vector of outputs at a time.
///
/// Up to 16 elements before the plane and 32 after it are read.
struct StridedWindow<Scalar: LaneScalar> {
    /// One row's inputs to a vector of outputs: those to the left, in the middle and to the right of each.
    typealias Taps = (left: Lanes, middle: Lanes, right: Lanes)

    private let plane: UnsafePointer<Scalar>
    private let window: PlaneWindow

    @inline(__always)
    init(_ plane: UnsafePointer<Scalar>, _ window: PlaneWindow) {
        self.plane = plane
        self.window = window
    }

    /// Folds the window's rows, 0 to 2 and only those inside the plane, into a state for each vector of outputs, and
    /// stores what comes of it in `out`.
    ///
    /// The strips come from right to left: what whole vectors left beyond a row's end is overwritten.
    ///
    /// - Parameters:
    ///   - outside: what stands for inputs beside the plane.
    ///   - load: changes the inputs.
    ///   - end: the outputs, from the index of the first and the state after the last row.
    @inline(__always)
    func fold<State>(
        into out: UnsafeMutablePointer<Scalar>, outside: Float, load: (Lanes) -> Lanes, begin: State,
        add: (inout State, _ row: Int, Taps) -> Void, end: (_ index: Int, State) -> Lanes
    ) {
        var x = (window.outWidth - 1) / laneCount * laneCount
        while x >= 0 {
            let edges = Edges(x, window, outside)
            for y in 0..<window.outHeight {
                let top = 2 * y - window.padTop
                var source = plane + (top * window.inWidth + 2 * x - window.padLeft)
                var state = begin
                // A loop, not three calls: what grows too large is not inlined.
                for row in 0..<3 {
                    if (0..<window.inHeight).contains(top + row) { add(&state, row, edges.taps(source, load)) }
                    source += window.inWidth
                }
                let index = y * window.outWidth + x
                out.store(end(index, state), index, before: window.outArea)
            }
            x -= laneCount
        }
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

        @inline(__always)
        func taps(_ row: UnsafePointer<Scalar>, _ load: (Lanes) -> Lanes) -> Taps {
            let pair = row.split(0)
            return (
                left.apply(load(pair.even)), middle.apply(load(pair.odd)), right.apply(load(row.split(2).even))
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
