internal import Kernels

/// An operation that windows are reduced with, in whatever order.
protocol WindowReduction {
    /// What changes nothing.
    static var identity: Float { get }
    static func combine(_ a: Lanes, _ b: Lanes) -> Lanes
    /// The outputs from `index` on.
    func end(_ value: Lanes, index: Int) -> Lanes
}

/// The 3×3 window at stride 2 over a plane as it lies, where all that counts is what its values come to together: rows
/// are reduced before they are taken apart into taps, and each is loaded once.
///
/// Up to 16 elements before the plane and 48 after it are read.
struct ReducedWindow<Scalar: LaneScalar> {
    private let plane: UnsafePointer<Scalar>
    private let window: PlaneWindow

    @inline(__always)
    init(_ plane: UnsafePointer<Scalar>, _ window: PlaneWindow) {
        self.plane = plane
        self.window = window
    }

    /// The strips come from right to left: what whole vectors left beyond a row's end is overwritten.
    @inline(__always)
    func reduce<Reduction: WindowReduction>(_ reduction: Reduction, into out: UnsafeMutablePointer<Scalar>) {
        let outside = RowParts(repeating: Lanes(repeating: Reduction.identity))
        var x = (window.outWidth - 1) / laneCount * laneCount
        while x >= 0 {
            let edges = WindowEdges(x, window, outside: Reduction.identity)
            let start = plane + (2 * x - window.padLeft)
            // The last row of an output's window is the first of the next one's.
            var first = row(-window.padTop)
            for y in 0..<window.outHeight {
                let top = 2 * y - window.padTop
                let last = row(top + 2)
                let parts = first.combined(row(top + 1), Reduction.self).combined(last, Reduction.self)
                let taps = edges.apply(Scalar.taps(parts))
                let value = Reduction.combine(Reduction.combine(taps.left, taps.middle), taps.right)
                let index = y * window.outWidth + x
                out.store(reduction.end(value, index: index), index, before: window.outArea)
                first = last
            }
            x -= laneCount

            @inline(__always)
            func row(_ y: Int) -> RowParts {
                (0..<window.inHeight).contains(y) ? Scalar.parts(start + y * window.inWidth) : outside
            }
        }
    }
}

/// Two vectors' worth of a row and, in its first lane, the element after them, before `LaneScalar.taps` takes them apart.
struct RowParts {
    let first: Lanes
    let second: Lanes
    let next: Lanes

    @inline(__always)
    init(_ first: Lanes, _ second: Lanes, next: Lanes) {
        self.first = first
        self.second = second
        self.next = next
    }

    @inline(__always)
    init(repeating value: Lanes) { self.init(value, value, next: value) }

    @inline(__always)
    func combined<Reduction: WindowReduction>(_ other: RowParts, _: Reduction.Type) -> RowParts {
        RowParts(
            Reduction.combine(first, other.first), Reduction.combine(second, other.second),
            next: Reduction.combine(next, other.next))
    }
}
