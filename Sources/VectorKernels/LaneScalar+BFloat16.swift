internal import CLanes
internal import Kernels

#if WIDE_LANES
    private typealias Words = SIMD16<UInt16>
    private typealias WordPair = SIMD32<UInt16>
#else
    private typealias Words = SIMD8<UInt16>
    private typealias WordPair = SIMD16<UInt16>
#endif

extension BFloat16: LaneScalar {
    @inline(__always)
    private static func words(_ address: UnsafePointer<BFloat16>) -> WordPair {
        UnsafeRawPointer(address).loadUnaligned(as: WordPair.self)
    }

    @inline(__always)
    static func load(_ address: UnsafePointer<BFloat16>) -> Lanes {
        let words = UnsafeRawPointer(address).loadUnaligned(as: Words.self)
        #if WIDE_LANES
            return clanes16_widen(words)
        #else
            return clanes8_widen(words)
        #endif
    }

    @inline(__always)
    static func store(_ value: Lanes, _ address: UnsafeMutablePointer<BFloat16>) {
        #if WIDE_LANES
            let words = clanes16_narrowed(value)
        #else
            let words = clanes8_narrowed(value)
        #endif
        UnsafeMutableRawPointer(address).storeBytes(of: words, as: Words.self)
    }

    @inline(__always)
    static func store(_ value: Lanes, _ address: UnsafeMutablePointer<BFloat16>, count: Int) {
        #if WIDE_LANES
            cwords16_store_first(address, clanes16_narrowed(value), count)
        #else
            cwords8_store_first(address, clanes8_narrowed(value), count)
        #endif
    }

    @inline(__always)
    static func split(_ address: UnsafePointer<BFloat16>) -> (even: Lanes, odd: Lanes) { halves(words(address)) }

    @inline(__always)
    static func parts(_ address: UnsafePointer<BFloat16>) -> RowParts {
        let (even, odd) = split(address)
        return RowParts(even, odd, next: load(address + 2 * laneCount))
    }

    @inline(__always)
    static func taps(_ parts: RowParts) -> WindowTaps {
        let even = parts.first.settled
        return WindowTaps(left: even, middle: parts.second, right: even.shifted(parts.next.settled))
    }

    /// The elements at even and at odd places.
    @inline(__always)
    private static func halves(_ words: WordPair) -> (even: Lanes, odd: Lanes) {
        #if WIDE_LANES
            (clanes16_even_widened(words), clanes16_odd_widened(words))
        #else
            (clanes8_even_widened(words), clanes8_odd_widened(words))
        #endif
    }

    @inline(__always)
    static func loadPair(_ address: UnsafePointer<BFloat16>) -> (Lanes, Lanes) {
        let words = words(address)
        #if WIDE_LANES
            return (clanes16_low_widened(words), clanes16_high_widened(words))
        #else
            return (clanes8_low_widened(words), clanes8_high_widened(words))
        #endif
    }

    @inline(__always)
    static func storePair(_ first: Lanes, _ second: Lanes, _ address: UnsafeMutablePointer<BFloat16>) {
        #if WIDE_LANES
            let words = clanes16_narrowed_pair(first, second)
        #else
            let words = clanes8_narrowed_pair(first, second)
        #endif
        UnsafeMutableRawPointer(address).storeBytes(of: words, as: WordPair.self)
    }

    @inline(__always)
    static func adding(_ sum: Lanes, _ address: UnsafePointer<BFloat16>) -> Lanes {
        #if WIDE_LANES
            return clanes16_pair_product(sum, words(address), WordPair(repeating: BFloat16(rounding: 1).bits))
        #else
            let (even, odd) = split(address)
            return sum + (even + odd)
        #endif
    }

    @inline(__always)
    static func close(_ gradient: UnsafeMutablePointer<BFloat16>, out: UnsafePointer<BFloat16>) {
        #if WIDE_LANES
            let words = cwords32_where_positive(words(gradient), words(out))
        #else
            let words = cwords16_where_positive(words(gradient), words(out))
        #endif
        UnsafeMutableRawPointer(gradient).storeBytes(of: words, as: WordPair.self)
    }

    @inline(__always)
    static func dense(
        _ planes: UnsafePointer<BFloat16>, count: Int, _ window: PlaneWindow,
        into scratch: UnsafeMutablePointer<Float>
    ) -> DensePlanes { DensePlanes(copying: planes, count: count, window, Unchanged(), into: scratch) }

    #if WIDE_LANES
        static var weightStep: Int { 2 }

        /// Both as bfloat16, the first in the lower half.
        @inline(__always)
        static func pack(_ weight: Float, _ next: Float) -> Float {
            let pair = UInt32(BFloat16(rounding: next).bits) << 16 | UInt32(BFloat16(rounding: weight).bits)
            return Float(bitPattern: pair)
        }

        @inline(__always)
        static func pack(_ weights: Lanes, _ next: Lanes) -> Lanes {
            // A value's bits lie in the upper half of its lane.
            let low = unsafeBitCast(clanes16_widen(clanes16_narrowed(weights)), to: LaneBits.self)
            let high = unsafeBitCast(clanes16_widen(clanes16_narrowed(next)), to: LaneBits.self)
            return unsafeBitCast(high | (low &>> 16), to: Lanes.self)
        }

        @inline(__always)
        static func word(_ value: BFloat16, _ next: BFloat16) -> Float {
            Float(bitPattern: UInt32(next.bits) << 16 | UInt32(value.bits))
        }

        @inline(__always)
        static func addWordProducts(_ sum: Lanes, _ a: Lanes, _ b: Lanes) -> Lanes {
            clanes16_pair_product(sum, unsafeBitCast(a, to: WordPair.self), unsafeBitCast(b, to: WordPair.self))
        }

        /// Two columns of W at a time: the CPU multiplies pairs that lie in 32 bits, so elements of two rows of x are
        /// put side by side. After an odd number the last row stands for the missing one, whose weights are zero.
        @inline(__always)
        static func accumulate<let rows: Int, let vectors: Int>(
            _ sums: inout TileSums<rows, vectors>, _ input: PointwiseProduct<BFloat16>.Input, _ column: Int,
            _ weights: inout UnsafePointer<Float>
        ) {
            var values = input.pointer + column
            for step in 0..<(input.rows + 1) / 2 {
                let next = values + (2 * step + 1 < input.rows ? input.stride : 0)
                let line: InlineArray<vectors, WordPair> = pairs(values, next)
                for index in 0..<rows {
                    let weight = unsafeBitCast(Lanes(repeating: weights[index]), to: WordPair.self)
                    for vector in 0..<vectors {
                        sums[index][vector] = clanes16_pair_product(sums[index][vector], weight, line[vector])
                    }
                }
                weights += rows
                values = next + input.stride
            }
        }

        /// Elements of two rows side by side, in the order of `loadPair` or, for one vector, of `load`.
        @inline(__always)
        private static func pairs<let vectors: Int>(
            _ first: UnsafePointer<BFloat16>, _ second: UnsafePointer<BFloat16>
        ) -> InlineArray<vectors, WordPair> {
            if vectors == 1 {
                // A value's bits lie in the upper half of its lane.
                let low = unsafeBitCast(load(first), to: SIMD16<UInt32>.self)
                let high = unsafeBitCast(load(second), to: SIMD16<UInt32>.self)
                let both = unsafeBitCast(high | (low &>> 16), to: WordPair.self)
                return InlineArray { _ in both }
            }
            let (a, b) = (words(first), words(second))
            return InlineArray { $0 == 0 ? cwords32_zip_low(a, b) : cwords32_zip_high(a, b) }
        }

        @inline(__always)
        static func correlate<let rows: Int>(
            _ sums: inout TileSums<rows, 4>, _ left: InlineArray<rows, UnsafePointer<BFloat16>>,
            _ right: InlineArray<4, UnsafePointer<BFloat16>>, _ index: Int
        ) {
            let values = InlineArray<rows, WordPair> { words(left[$0] + index) }
            for column in 0..<4 {
                let value = words(right[column] + index)
                for row in 0..<rows {
                    sums[row][column] = clanes16_pair_product(sums[row][column], values[row], value)
                }
            }
        }
    #else
        static var weightStep: Int { 1 }

        @inline(__always)
        static func pack(_ weight: Float, _ next: Float) -> Float { BFloat16(rounding: weight).float }

        @inline(__always)
        static func pack(_ weights: Lanes, _ next: Lanes) -> Lanes { clanes8_widen(clanes8_narrowed(weights)) }

        @inline(__always)
        static func word(_ value: BFloat16, _ next: BFloat16) -> Float { value.float }

        @inline(__always)
        static func addWordProducts(_ sum: Lanes, _ a: Lanes, _ b: Lanes) -> Lanes { multiplyAdd(sum, a, b) }

        @inline(__always)
        static func accumulate<let rows: Int, let vectors: Int>(
            _ sums: inout TileSums<rows, vectors>, _ input: PointwiseProduct<BFloat16>.Input, _ column: Int,
            _ weights: inout UnsafePointer<Float>
        ) {
            accumulateSingly(&sums, input, column, &weights)
        }

        /// The elements at even places, then those at odd ones.
        @inline(__always)
        static func correlate<let rows: Int>(
            _ sums: inout TileSums<rows, 4>, _ left: InlineArray<rows, UnsafePointer<BFloat16>>,
            _ right: InlineArray<4, UnsafePointer<BFloat16>>, _ index: Int
        ) {
            correlate(&sums, left, right) { clanes8_even_widened(words($0 + index)) }
            correlate(&sums, left, right) { clanes8_odd_widened(words($0 + index)) }
        }
    #endif

    static var hasFastInnerProduct: Bool { false }

    static var correlationStep: Int { 2 * laneCount }
}
