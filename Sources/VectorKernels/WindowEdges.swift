internal import Kernels

/// Which lanes of a strip of outputs have their taps inside the plane at stride 2, and what the others get.
///
/// As bits: of comparisons kept for later the compiler makes one a lane.
struct WindowEdges {
    private let left: Edge
    private let middle: Edge
    private let right: Edge

    /// Of the outputs from column `x` on.
    @inline(__always)
    init(_ x: Int, _ window: PlaneWindow, outside: Float) {
        let end = window.inWidth + window.padLeft
        left = Edge(from: x == 0 ? window.padLeft : 0, to: (end + 1) / 2 - x, outside)
        middle = Edge(from: 0, to: end / 2 - x, outside)
        right = Edge(from: 0, to: (end - 1) / 2 - x, outside)
    }

    @inline(__always)
    func apply(_ taps: WindowTaps) -> WindowTaps {
        WindowTaps(
            left: left.apply(taps.left), middle: middle.apply(taps.middle), right: right.apply(taps.right))
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
