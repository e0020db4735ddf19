internal import CLanes
internal import Kernels

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
            .findMaxima(
                PlacedMaximum(FoldedAffine(scale: scale, shift: shift), places, count: window.outArea), into: out)
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
