/// The vector the kernels work in. The sources of this folder name no instruction set: a build for another one changes
/// this width and `multiplyAdd`, nothing else.
public typealias Lanes = SIMD8<Float>

@usableFromInline let laneCount = Lanes.scalarCount

/// Lane numbers for masks over the end of a row. As floats: comparing integer vectors compiles to a loop over lanes.
@inline(__always)
private var laneNumbers: Lanes { Lanes(0, 1, 2, 3, 4, 5, 6, 7) }

/// `sum + a·b`. Written as two operations: where the target has no fused instruction, `addProduct` is a library call
/// for each lane.
@inline(__always)
func multiplyAdd(_ sum: Lanes, _ a: Lanes, _ b: Lanes) -> Lanes {
    sum + a * b
}

extension SIMD8<Float> {
    /// The sum of the lanes, added in halves (a fixed order).
    @inline(__always)
    var total: Float {
        let four = lowHalf + highHalf
        let two = four.lowHalf + four.highHalf
        return two[0] + two[1]
    }

    /// max(lane, 0); NaN stays NaN.
    @inline(__always)
    var rectified: Self {
        replacing(with: 0, where: self .< Self.zero)
    }

    /// The first `count` lanes, zero in the rest.
    @inline(__always)
    func keeping(first count: Int) -> Self {
        replacing(with: 0, where: laneNumbers .>= Lanes(repeating: Float(count)))
    }
}

extension UnsafePointer<Float> {
    @inline(__always)
    func lanes(_ index: Int) -> Lanes {
        UnsafeRawPointer(self + index).loadUnaligned(as: Lanes.self)
    }

    /// The even and the odd elements of the sixteen from `index` on.
    @inline(__always)
    func split(_ index: Int) -> (even: Lanes, odd: Lanes) {
        let pair = UnsafeRawPointer(self + index).loadUnaligned(as: SIMD16<Float>.self)
        return (pair.evenHalf, pair.oddHalf)
    }
}

extension UnsafeMutablePointer<Float> {
    @inline(__always)
    func lanes(_ index: Int) -> Lanes {
        UnsafeRawPointer(self + index).loadUnaligned(as: Lanes.self)
    }

    @inline(__always)
    func store(_ value: Lanes, _ index: Int) {
        UnsafeMutableRawPointer(self + index).storeBytes(of: value, as: Lanes.self)
    }

    /// Stores `value` where all lanes lie before `end`, and only the lanes before it otherwise.
    @inline(__always)
    func store(_ value: Lanes, _ index: Int, before end: Int) {
        if index + laneCount <= end {
            store(value, index)
        } else {
            for lane in 0..<max(end - index, 0) { self[index + lane] = value[lane] }
        }
    }
}
