internal import CLanes
internal import Kernels

extension Float: LaneScalar {
    @inline(__always)
    static func load(_ address: UnsafePointer<Float>) -> Lanes {
        UnsafeRawPointer(address).loadUnaligned(as: Lanes.self)
    }

    @inline(__always)
    static func store(_ value: Lanes, _ address: UnsafeMutablePointer<Float>) {
        UnsafeMutableRawPointer(address).storeBytes(of: value, as: Lanes.self)
    }

    @inline(__always)
    static func store(_ value: Lanes, _ address: UnsafeMutablePointer<Float>, count: Int) {
        #if WIDE_LANES
            clanes16_store_first(address, value, count)
        #else
            clanes8_store_first(address, value, count)
        #endif
    }

    @inline(__always)
    static func split(_ address: UnsafePointer<Float>) -> (even: Lanes, odd: Lanes) {
        let (low, high) = loadPair(address)
        return split(low, high)
    }

    @inline(__always)
    private static func split(_ low: Lanes, _ high: Lanes) -> (even: Lanes, odd: Lanes) {
        #if WIDE_LANES
            (clanes16_even(low, high), clanes16_odd(low, high))
        #else
            (clanes8_even(low, high), clanes8_odd(low, high))
        #endif
    }

    @inline(__always)
    static func parts(_ address: UnsafePointer<Float>) -> RowParts {
        RowParts(load(address), load(address + laneCount), next: Lanes(repeating: address[2 * laneCount]))
    }

    @inline(__always)
    static func taps(_ parts: RowParts) -> WindowTaps {
        let (even, odd) = split(parts.first.settled, parts.second.settled)
        return WindowTaps(left: even, middle: odd, right: even.settled.shifted(parts.next.settled))
    }

    @inline(__always)
    static func loadPair(_ address: UnsafePointer<Float>) -> (Lanes, Lanes) {
        (load(address), load(address + laneCount))
    }

    @inline(__always)
    static func storePair(_ first: Lanes, _ second: Lanes, _ address: UnsafeMutablePointer<Float>) {
        store(first, address)
        store(second, address + laneCount)
    }

    @inline(__always)
    static func adding(_ sum: Lanes, _ address: UnsafePointer<Float>) -> Lanes {
        // One after the other: of a sum of two masked vectors the compiler adds the last lanes apart.
        let first = sum + load(address)
        return first + load(address + laneCount)
    }

    @inline(__always)
    static func close(_ gradient: UnsafeMutablePointer<Float>, out: UnsafePointer<Float>) {
        let (first, second) = loadPair(gradient)
        let (firstOut, secondOut) = loadPair(out)
        storePair(
            first.replacing(with: 0, where: firstOut .<= Lanes.zero),
            second.replacing(with: 0, where: secondOut .<= Lanes.zero), gradient)
    }

    @inline(__always)
    static func dense(
        _ planes: UnsafePointer<Float>, count: Int, _ window: PlaneWindow, into scratch: UnsafeMutablePointer<Float>
    ) -> DensePlanes { DensePlanes(planes, window) }

    static var weightStep: Int { 1 }

    @inline(__always)
    static func pack(_ weight: Float, _ next: Float) -> Float { weight }

    @inline(__always)
    static func pack(_ weights: Lanes, _ next: Lanes) -> Lanes { weights }

    @inline(__always)
    static func word(_ value: Float, _ next: Float) -> Float { value }

    @inline(__always)
    static func addWordProducts(_ sum: Lanes, _ a: Lanes, _ b: Lanes) -> Lanes { multiplyAdd(sum, a, b) }

    @inline(__always)
    static func accumulate<let rows: Int, let vectors: Int>(
        _ sums: inout TileSums<rows, vectors>, _ input: PointwiseProduct<Float>.Input, _ column: Int,
        _ weights: inout UnsafePointer<Float>
    ) {
        accumulateSingly(&sums, input, column, &weights)
    }

    static var hasFastInnerProduct: Bool {
        #if WIDE_LANES
            true
        #else
            false
        #endif
    }

    static var correlationStep: Int { laneCount }

    @inline(__always)
    static func correlate<let rows: Int>(
        _ sums: inout TileSums<rows, 4>, _ left: InlineArray<rows, UnsafePointer<Float>>,
        _ right: InlineArray<4, UnsafePointer<Float>>, _ index: Int
    ) {
        correlate(&sums, left, right) { load($0 + index) }
    }
}
