internal import Kernels

/// The 3×3 window at stride 1 over a plane as it lies, taken for one long row: what a shift brings in from the
/// neighbouring row or from outside is masked away.
///
/// Up to 16 elements before the plane and after it are read.
struct DenseWindow {
    private typealias Mask = UnsafePointer<UInt32>

    private let plane: UnsafePointer<Float>
    // Taken out of the class, which a store through any pointer could change for all the compiler knows.
    private let edges: (left: Mask, right: Mask, above: Mask, below: Mask)
    private let width: Int
    private let area: Int

    @inline(__always)
    init(_ plane: UnsafePointer<Float>, _ window: PlaneWindow, _ edges: EdgeMasks) {
        self.plane = plane
        self.edges = (edges.left, edges.right, edges.above, edges.below)
        width = window.inWidth
        area = window.inArea
    }

    /// Calls `body(index, Σ_t kernel[t] · tap t)` for each vector of outputs, the last one with meaningless lanes past
    /// the plane's end.
    @inline(__always)
    func forEachSum(_ kernel: WindowKernel, _ body: (_ index: Int, _ sum: Lanes) -> Void) {
        forEachVector(
            border: { index in
                let above = above(index)
                let row = plane + index
                let below = below(index)
                @inline(__always)
                func column(_ x: Int, _ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes {
                    var sum = above.lanes(x).masked(by: edges.above + index) * a
                    sum = multiplyAdd(sum, row.lanes(x), b)
                    return multiplyAdd(sum, below.lanes(x).masked(by: edges.below + index), c)
                }
                body(
                    index,
                    column(-1, kernel.k0, kernel.k3, kernel.k6).masked(by: edges.left + index)
                        + column(0, kernel.k1, kernel.k4, kernel.k7)
                        + column(1, kernel.k2, kernel.k5, kernel.k8).masked(by: edges.right + index))
            },
            inside: { index in
                let row = plane + index
                @inline(__always)
                func column(_ x: Int, _ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes {
                    multiplyAdd(multiplyAdd(row.lanes(x - width) * a, row.lanes(x), b), row.lanes(x + width), c)
                }
                body(
                    index,
                    column(-1, kernel.k0, kernel.k3, kernel.k6).masked(by: edges.left + index)
                        + column(0, kernel.k1, kernel.k4, kernel.k7)
                        + column(1, kernel.k2, kernel.k5, kernel.k8).masked(by: edges.right + index))
            })
    }

    /// `sums[t] += Σ gradient · tap t`, `gradient` being a plane too. What lies around this plane must be finite.
    @inline(__always)
    func correlate(_ gradient: UnsafePointer<Float>, into sums: UnsafeMutablePointer<Double>) {
        var s = InlineArray<9, Lanes>(repeating: Lanes.zero)
        @inline(__always)
        func add(_ tap: Int, _ row: UnsafePointer<Float>, _ value: Lanes, _ index: Int) {
            s[tap] = multiplyAdd(s[tap], row.lanes(-1), value.masked(by: edges.left + index))
            s[tap + 1] = multiplyAdd(s[tap + 1], row.lanes(0), value)
            s[tap + 2] = multiplyAdd(s[tap + 2], row.lanes(1), value.masked(by: edges.right + index))
        }
        forEachVector(
            border: { index in
                var value = gradient.lanes(index)
                if index + laneCount > area { value = value.keeping(first: area - index) }
                add(0, above(index), value.masked(by: edges.above + index), index)
                add(3, plane + index, value, index)
                add(6, below(index), value.masked(by: edges.below + index), index)
            },
            inside: { index in
                let value = gradient.lanes(index)
                let row = plane + index
                add(0, row - width, value, index)
                add(3, row, value, index)
                add(6, row + width, value, index)
            })
        for tap in 0..<9 { sums[tap] += Double(s[tap].total) }
    }

    /// The vectors that have all their neighbours' rows `inside` the plane, and the others.
    @inline(__always)
    private func forEachVector(border: (Int) -> Void, inside: (Int) -> Void) {
        var index = 0
        while index < min(width, area) {
            border(index)
            index += laneCount
        }
        while index + laneCount <= area - width {
            inside(index)
            index += laneCount
        }
        while index < area {
            border(index)
            index += laneCount
        }
    }

    /// The row above; where no lane has one, the row itself, so that nothing far outside the plane is read.
    @inline(__always)
    private func above(_ index: Int) -> UnsafePointer<Float> {
        plane + (index + laneCount <= width ? index : index - width)
    }

    @inline(__always)
    private func below(_ index: Int) -> UnsafePointer<Float> {
        plane + (index >= area - width ? index : index + width)
    }
}
