internal import CLanes
internal import Kernels

#if WIDE_LANES
    private typealias TapLanes = SIMD16<Int32>
#else
    private typealias TapLanes = SIMD8<Int32>
#endif

/// The largest of the inputs after norm and ReLU, and which input it was.
///
/// A type and not closures: a closure that is called from two places, or in a function that grew large, stays a call in
/// the innermost loop.
struct PlacedMaximum<Scalar: LaneScalar> {
    private let norm: FoldedAffine
    private let places: MaxPool.Places<Scalar>
    private let count: Int
    private var best = Lanes.zero
    private var input = Lanes.zero
    private var place = TapLanes.zero

    @inline(__always)
    init(_ norm: FoldedAffine, _ places: MaxPool.Places<Scalar>, count: Int) {
        self.norm = norm
        self.places = places
        self.count = count
    }

    /// Before a window's first row.
    @inline(__always)
    mutating func begin() {
        best = .zero
        input = .zero
        place = TapLanes(repeating: MaxPool.closed)
    }

    /// Takes one of the rows 0 to 2, only those inside the plane.
    @inline(__always)
    mutating func add(row: Int, _ taps: WindowTaps) {
        let values: InlineArray<3, Lanes> = [taps.left, taps.middle, taps.right]
        for column in 0..<3 {
            // What lies outside is a NaN and larger than nothing.
            let normed = norm.norm(values[column])
            let isLarger = normed .> best
            best.replace(with: normed, where: isLarger)
            input.replace(with: values[column], where: isLarger)
            place.replace(with: Int32(truncatingIfNeeded: 3 * row + column), where: isLarger)
        }
    }

    /// The outputs from `index` on; their places are stored.
    @inline(__always)
    func end(index: Int) -> Lanes {
        places.inputs.store(input, index, before: count)
        #if WIDE_LANES
            clanes16_store_bytes(places.taps + index, place, min(count - index, laneCount))
        #else
            clanes8_store_bytes(places.taps + index, place, min(count - index, laneCount))
        #endif
        return best
    }
}
