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
        var index = 0
        while index < min(width, area) {
            body(index, borderSum(index, kernel))
            index += laneCount
        }
        while index + laneCount <= area - width {
            let row = plane + index
            @inline(__always)
            func column(_ x: Int, _ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes {
                multiplyAdd(multiplyAdd(row.lanes(x - width) * a, row.lanes(x), b), row.lanes(x + width), c)
            }
            let left = column(-1, kernel.k0, kernel.k3, kernel.k6).masked(by: edges.left + index)
            let middle = column(0, kernel.k1, kernel.k4, kernel.k7)
            let right = column(1, kernel.k2, kernel.k5, kernel.k8).masked(by: edges.right + index)
            body(index, middle + left + right)
            index += laneCount
        }
        while index < area {
            body(index, borderSum(index, kernel))
            index += laneCount
        }
    }

    /// Where rows above or below may be outside.
    @inline(__always)
    private func borderSum(_ index: Int, _ kernel: WindowKernel) -> Lanes {
        let above = above(index)
        let row = plane + index
        let below = below(index)
        @inline(__always)
        func column(_ x: Int, _ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes {
            let sum = multiplyAdd(above.lanes(x).masked(by: edges.above + index) * a, row.lanes(x), b)
            return multiplyAdd(sum, below.lanes(x).masked(by: edges.below + index), c)
        }
        let left = column(-1, kernel.k0, kernel.k3, kernel.k6).masked(by: edges.left + index)
        let middle = column(0, kernel.k1, kernel.k4, kernel.k7)
        let right = column(1, kernel.k2, kernel.k5, kernel.k8).masked(by: edges.right + index)
        return middle + left + right
    }

    /// `sums[t] += Σ gradient · tap t`, `gradient` being a plane too. What lies around this plane must be finite.
    @inline(__always)
    func correlate(_ gradient: UnsafePointer<Float>, into sums: UnsafeMutablePointer<Double>) {
        for dy in 0..<3 {
            // Outputs whose neighbour in this direction is inside.
            let start = dy == 0 ? width : 0
            let end = dy == 2 ? area - width : area
            let row = plane + (dy - 1) * width
            var left = Lanes.zero
            var middle = Lanes.zero
            var right = Lanes.zero
            var index = start
            while index < end {
                var value = gradient.lanes(index)
                if index + laneCount > end { value = value.keeping(first: end - index) }
                left = multiplyAdd(left, (row + index).lanes(-1), value.masked(by: edges.left + index))
                middle = multiplyAdd(middle, (row + index).lanes(0), value)
                right = multiplyAdd(right, (row + index).lanes(1), value.masked(by: edges.right + index))
                index += laneCount
            }
            sums[3 * dy] += Double(left.total)
            sums[3 * dy + 1] += Double(middle.total)
            sums[3 * dy + 2] += Double(right.total)
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
