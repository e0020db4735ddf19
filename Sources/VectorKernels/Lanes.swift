internal import CLanes
internal import Kernels

// The vector the kernels work in. The sources of this folder are compiled once for each instruction set, as a module
// of its own; what differs is this width and whether there is a fused multiply-add.
#if WIDE_LANES
    typealias Lanes = SIMD16<Float>
#else
    typealias Lanes = SIMD8<Float>
#endif

let laneCount = Lanes.scalarCount

#if WIDE_LANES
    typealias LaneBits = SIMD16<UInt32>
#else
    typealias LaneBits = SIMD8<UInt32>
#endif

/// Lane numbers for masks over the end of a row. As floats: comparing integer vectors compiles to a loop over lanes.
@inline(__always)
private var laneNumbers: Lanes {
    #if WIDE_LANES
        Lanes(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    #else
        Lanes(0, 1, 2, 3, 4, 5, 6, 7)
    #endif
}

/// `sum + a·b`. Where the target has no fused instruction, `addProduct` would be a library call for each lane.
@inline(__always)
func multiplyAdd(_ sum: Lanes, _ a: Lanes, _ b: Lanes) -> Lanes {
    #if FUSED || arch(arm64)
        sum.addingProduct(a, b)
    #else
        sum + a * b
    #endif
}

extension Lanes {
    /// The sum of the lanes, added in halves (a fixed order).
    @inline(__always)
    var total: Float {
        #if WIDE_LANES
            let eight = lowHalf + highHalf
        #else
            let eight = self
        #endif
        let four = eight.lowHalf + eight.highHalf
        let two = four.lowHalf + four.highHalf
        return two[0] + two[1]
    }

    /// The lanes of `even` and `odd` in turn.
    @inline(__always)
    static func interleaved(_ even: Lanes, _ odd: Lanes) -> (Lanes, Lanes) {
        #if WIDE_LANES
            (clanes16_interleave_low(even, odd), clanes16_interleave_high(even, odd))
        #else
            (clanes8_interleave_low(even, odd), clanes8_interleave_high(even, odd))
        #endif
    }

    /// The vector as it is, to be worked out before anything is made of it.
    @inline(__always)
    var settled: Lanes {
        #if WIDE_LANES
            clanes16_settled(self)
        #else
            clanes8_settled(self)
        #endif
    }

    /// The lanes from the second on, then the first of `next`.
    @inline(__always)
    func shifted(_ next: Lanes) -> Lanes {
        #if WIDE_LANES
            clanes16_shifted(self, next)
        #else
            clanes8_shifted(self, next)
        #endif
    }

    /// The totals of four vectors.
    @inline(__always)
    static func totals(_ a: Lanes, _ b: Lanes, _ c: Lanes, _ d: Lanes) -> SIMD4<Float> {
        #if WIDE_LANES
            clanes16_totals(a, b, c, d)
        #else
            clanes8_totals(a, b, c, d)
        #endif
    }

    /// `self + (x + w)·(y + v)`, w and v in all lanes.
    @inline(__always)
    func addingCrossed(_ x: Lanes, _ y: Lanes, _ w: UnsafePointer<Float>, _ v: UnsafePointer<Float>) -> Lanes {
        #if WIDE_LANES
            clanes16_add_crossed(self, x, y, w, v)
        #else
            multiplyAdd(self, x + w.pointee, y + v.pointee)
        #endif
    }

    /// `self − (x − w)·(y − v)`.
    @inline(__always)
    func subtractingCrossed(_ x: Lanes, _ y: Lanes, _ w: UnsafePointer<Float>, _ v: UnsafePointer<Float>) -> Lanes {
        #if WIDE_LANES
            clanes16_subtract_crossed(self, x, y, w, v)
        #else
            multiplyAdd(self, w.pointee - x, y - v.pointee)
        #endif
    }

    /// `self + x·w`.
    @inline(__always)
    func addingSpread(_ x: Lanes, _ w: UnsafePointer<Float>) -> Lanes {
        #if WIDE_LANES
            clanes16_add_spread(self, x, w)
        #else
            multiplyAdd(self, x, Lanes(repeating: w.pointee))
        #endif
    }

    /// The larger of two lanes, this one if neither is.
    @inline(__always)
    func larger(_ other: Lanes) -> Lanes {
        #if WIDE_LANES
            clanes16_larger(self, other)
        #else
            clanes8_larger(self, other)
        #endif
    }

    /// max(lane, 0); NaN stays NaN.
    @inline(__always)
    var rectified: Lanes {
        replacing(with: 0, where: self .< Lanes.zero)
    }

    /// The first `count` lanes, zero in the rest.
    @inline(__always)
    func keeping(first count: Int) -> Lanes {
        replacing(with: 0, where: Lanes.mask(from: count))
    }

    /// The lanes whose `bits` are all set, zero in those whose bits are not.
    @inline(__always)
    func masked(by bits: LaneBits) -> Lanes {
        unsafeBitCast(unsafeBitCast(self, to: LaneBits.self) & bits, to: Lanes.self)
    }

    /// All bits of the lanes from `start` on and before `end`, none of the others.
    @inline(__always)
    static func bits(from start: Int, to end: Int) -> LaneBits {
        #if WIDE_LANES
            clanes16_bits(start, end)
        #else
            clanes8_bits(start, end)
        #endif
    }

    /// True for the lanes from `lane` on.
    @inline(__always)
    static func mask(from lane: Int) -> SIMDMask<Lanes.MaskStorage> {
        laneNumbers .>= Lanes(repeating: Float(lane))
    }
}

extension UnsafePointer where Pointee: LaneScalar {
    @inline(__always)
    func lanes(_ index: Int) -> Lanes { Pointee.load(self + index) }

    /// Asks for the two vectors from `index` on.
    @inline(__always)
    func prefetchPair(_ index: Int) {
        clanes_prefetch(self + index)
        // Of float32 they are two cache lines there.
        #if WIDE_LANES
            if Pointee.self == Float.self { clanes_prefetch(self + (index + laneCount)) }
        #endif
    }

    /// The even and the odd elements of the two vectors from `index` on.
    @inline(__always)
    func split(_ index: Int) -> (even: Lanes, odd: Lanes) { Pointee.split(self + index) }
}

extension UnsafePointer<UInt8> {
    /// Bytes as numbers. Not as whole ones: comparing vectors of those compiles to a loop over lanes.
    @inline(__always)
    func lanes(_ index: Int) -> Lanes {
        #if WIDE_LANES
            clanes16_load_bytes(self + index)
        #else
            clanes8_load_bytes(self + index)
        #endif
    }
}

extension UnsafeMutablePointer where Pointee: LaneScalar {
    @inline(__always)
    func lanes(_ index: Int) -> Lanes { Pointee.load(self + index) }

    @inline(__always)
    func store(_ value: Lanes, _ index: Int) { Pointee.store(value, self + index) }

    /// Stores `value` where all lanes lie before `end`, and only the lanes before it otherwise.
    @inline(__always)
    func store(_ value: Lanes, _ index: Int, before end: Int) {
        if index + laneCount <= end {
            store(value, index)
        } else {
            Pointee.store(value, self + index, count: Swift.max(end - index, 0))
        }
    }
}
