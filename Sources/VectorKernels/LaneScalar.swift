internal import CLanes
internal import Kernels

/// How activations come into vectors of float32 and go out of them again.
protocol LaneScalar: ActivationScalar {
    /// The elements from `address` on, in their order.
    static func load(_ address: UnsafePointer<Self>) -> Lanes
    static func store(_ value: Lanes, _ address: UnsafeMutablePointer<Self>)
    /// The first `count` lanes, fewer than all.
    static func store(_ value: Lanes, _ address: UnsafeMutablePointer<Self>, count: Int)
    /// The even and the odd elements of two vectors' worth from `address` on.
    static func split(_ address: UnsafePointer<Self>) -> (even: Lanes, odd: Lanes)
    /// Two vectors' worth and the element after them, in whatever order `taps` takes them apart: into the even elements,
    /// the odd ones, and the even ones from the third element on.
    static func parts(_ address: UnsafePointer<Self>) -> RowParts
    static func taps(_ parts: RowParts) -> WindowTaps
    /// Two vectors' worth in whatever order is quickest, and the way back.
    static func loadPair(_ address: UnsafePointer<Self>) -> (Lanes, Lanes)
    static func storePair(_ first: Lanes, _ second: Lanes, _ address: UnsafeMutablePointer<Self>)
    /// `sum` and two vectors' worth, each lane some of them.
    static func adding(_ sum: Lanes, _ address: UnsafePointer<Self>) -> Lanes
    /// Sets elements of two vectors' worth of the gradient to zero where `out` is not above zero.
    static func close(_ gradient: UnsafeMutablePointer<Self>, out: UnsafePointer<Self>)

    /// Planes as float32: themselves, or copies in `scratch` with zeros beside them.
    static func dense(
        _ planes: UnsafePointer<Self>, count: Int, _ window: PlaneWindow, into scratch: UnsafeMutablePointer<Float>
    ) -> DensePlanes

    /// Columns of W that `accumulate` takes in one step, 1 or 2.
    static var weightStep: Int { get }
    /// The weights of one row for such a step; `next` is zero after the last column.
    static func pack(_ weight: Float, _ next: Float) -> Float
    /// Those of several rows or steps.
    static func pack(_ weights: Lanes, _ next: Lanes) -> Lanes
    /// An element and, where a step takes two, the one of the next row, as `pack` has weights.
    static func word(_ value: Self, _ next: Self) -> Float
    /// `sum + a·b` of what lies in such words.
    static func addWordProducts(_ sum: Lanes, _ a: Lanes, _ b: Lanes) -> Lanes
    /// `sums += W·x` for a tile.
    static func accumulate<let rows: Int, let vectors: Int>(
        _ sums: inout TileSums<rows, vectors>, _ input: PointwiseProduct<Self>.Input, _ column: Int,
        _ weights: inout UnsafePointer<Float>)

    /// Whether `FastInnerProduct` is compiled for it.
    static var hasFastInnerProduct: Bool { get }

    /// Elements of a row that a step of `correlate` takes.
    static var correlationStep: Int { get }
    /// `sums[i][j] += Σ left[i]·right[j]` over a step's elements from `index` on, each lane some of them.
    static func correlate<let rows: Int>(
        _ sums: inout TileSums<rows, 4>, _ left: InlineArray<rows, UnsafePointer<Self>>,
        _ right: InlineArray<4, UnsafePointer<Self>>, _ index: Int)
}

typealias TileSums<let rows: Int, let vectors: Int> = InlineArray<rows, InlineArray<vectors, Lanes>>

extension LaneScalar {
    /// Steps that `accumulate` takes for so many columns of W.
    @inline(__always)
    static func steps(_ columns: Int) -> Int { (columns + weightStep - 1) / weightStep }

    /// Vectors of a tile's row: one in its order, or a pair.
    @inline(__always)
    static func line<let vectors: Int>(_ address: UnsafePointer<Self>) -> InlineArray<vectors, Lanes> {
        if vectors == 1 { return InlineArray { _ in load(address) } }
        let (first, second) = loadPair(address)
        return InlineArray { $0 == 0 ? first : second }
    }

    @inline(__always)
    static func store<let vectors: Int>(
        _ line: InlineArray<vectors, Lanes>, _ address: UnsafeMutablePointer<Self>
    ) {
        if vectors == 1 { store(line[0], address) } else { storePair(line[0], line[1], address) }
    }

    /// One column of W at a time.
    @inline(__always)
    static func accumulateSingly<let rows: Int, let vectors: Int>(
        _ sums: inout TileSums<rows, vectors>, _ input: PointwiseProduct<Self>.Input, _ column: Int,
        _ weights: inout UnsafePointer<Float>
    ) {
        var values = input.pointer + column
        for _ in 0..<input.rows {
            let line: InlineArray<vectors, Lanes> = line(values)
            for index in 0..<rows {
                let weight = Lanes(repeating: weights[index])
                for vector in 0..<vectors {
                    sums[index][vector] = multiplyAdd(sums[index][vector], weight, line[vector])
                }
            }
            weights += rows
            values += input.stride
        }
    }

    /// A vector of every row, as `load` has it.
    @inline(__always)
    static func correlate<let rows: Int>(
        _ sums: inout TileSums<rows, 4>, _ left: InlineArray<rows, UnsafePointer<Self>>,
        _ right: InlineArray<4, UnsafePointer<Self>>, load: (UnsafePointer<Self>) -> Lanes
    ) {
        let values = InlineArray<rows, Lanes> { load(left[$0]) }
        for column in 0..<4 {
            let value = load(right[column])
            for row in 0..<rows { sums[row][column] = multiplyAdd(sums[row][column], values[row], value) }
        }
    }
}
