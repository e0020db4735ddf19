internal import CLanes
internal import Kernels

#if WIDE_LANES
    private typealias TapLanes = SIMD16<Int32>
#else
    private typealias TapLanes = SIMD8<Int32>
#endif

extension LaneActivationKernels {
    func maxPoolForward(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, out: UnsafeMutablePointer<Scalar>
    ) {
        ReducedWindow(plane, window).reduce(Maximum(), into: out)
    }

    func maxPoolForward(
        _ plane: UnsafePointer<Scalar>, _ window: PlaneWindow, scale: Float, shift: Float,
        out: UnsafeMutablePointer<Scalar>, places: MaxPool.Places<Scalar>
    ) {
        StridedWindow(plane, window, Unchanged())
            .fold(
                PlacedMaximum(FoldedAffine(scale: scale, shift: shift), places, count: window.outArea), outside: .nan,
                into: out)
    }

    func maxPoolBackward(
        gradient: UnsafePointer<Scalar>, taps: UnsafePointer<UInt8>, _ window: PlaneWindow, scale: Float, slope: Float,
        offset: Float, _ plane: UnsafeMutablePointer<Scalar>
    ) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 9) { scales in
            scales.initialize(repeating: scale)
            var sink = NormGradient(
                plane: plane, ahead: 6 * window.inWidth, slope: Lanes(repeating: slope),
                offset: Lanes(repeating: offset))
            SpreadWindow(PlacedGradient(gradient: gradient, taps: taps), window)
                .spread(kernel: scales.baseAddress!, into: &sink)
        }
    }
}

/// The gradient of each output for the one input that was its maximum.
private struct PlacedGradient<Scalar: LaneScalar>: WindowGradient {
    let gradient: UnsafePointer<Scalar>
    let taps: UnsafePointer<UInt8>

    @inline(__always)
    func lanes(_ index: Int, tap: Int) -> Lanes {
        gradient.lanes(index).replacing(with: 0, where: taps.lanes(index) .!= Lanes(repeating: Float(tap)))
    }
}

/// Turns r into the gradient at r: offset + slope·r + sum.
private struct NormGradient<Scalar: LaneScalar>: SumSink {
    let plane: UnsafeMutablePointer<Scalar>
    /// To the row of a strip that is asked for meanwhile: rows lie too far apart for the hardware to see them coming.
    let ahead: Int
    let slope: Lanes
    let offset: Lanes

    @inline(__always)
    func take(_ sum: Lanes, index: Int, count: Int) {
        clanes_prefetch(plane + (index + ahead))
        let value = multiplyAdd(offset + sum, plane.lanes(index), slope)
        // Exactly: what follows is still needed.
        plane.store(value, index, before: index + count)
    }
}

private struct Maximum: WindowReduction {
    static var identity: Float { -.infinity }

    @inline(__always)
    static func combine(_ a: Lanes, _ b: Lanes) -> Lanes { a.larger(b) }

    @inline(__always)
    func end(_ value: Lanes, index: Int) -> Lanes { value }
}

/// The largest of the inputs after norm and ReLU, and which input it was.
private struct PlacedMaximum<Scalar: LaneScalar>: WindowFold {
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

    @inline(__always)
    mutating func begin() {
        best = .zero
        input = .zero
        place = TapLanes(repeating: MaxPool.closed)
    }

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
