internal import CLanes
internal import Kernels

extension LaneActivationKernels {
    func sum(_ row: UnsafePointer<Scalar>, _ count: Int) -> Float {
        var sum0 = Lanes.zero
        var sum1 = Lanes.zero
        var index = 0
        while index + 2 * laneCount <= count {
            sum0 += row.lanes(index)
            sum1 += row.lanes(index + laneCount)
            index += 2 * laneCount
        }
        var rest: Float = 0
        while index < count {
            rest += row[index].float
            index += 1
        }
        return (sum0 + sum1).total + rest
    }

    /// `row -= mean`, in place.
    func centre(_ row: UnsafeMutablePointer<Scalar>, _ count: Int, by mean: Float) {
        var index = 0
        while index + laneCount <= count {
            row.store(row.lanes(index) - mean, index)
            index += laneCount
        }
        while index < count {
            row[index] = Scalar(rounding: row[index].float - mean)
            index += 1
        }
    }

    /// Deviations are taken from the row's own mean, so a large mean costs no digits.
    func moments(_ row: UnsafePointer<Scalar>, _ count: Int) -> Moments {
        if count <= 0 { return Moments() }
        let first = Double(sum(row, count)) / Double(count)
        let centre = Float(first)
        var sum0 = Lanes.zero
        var sum1 = Lanes.zero
        var squares0 = Lanes.zero
        var squares1 = Lanes.zero
        var index = 0
        while index + 2 * laneCount <= count {
            let a = row.lanes(index) - centre
            let b = row.lanes(index + laneCount) - centre
            sum0 += a
            sum1 += b
            squares0 = multiplyAdd(squares0, a, a)
            squares1 = multiplyAdd(squares1, b, b)
            index += 2 * laneCount
        }
        var sum = Double((sum0 + sum1).total)
        var squares = Double((squares0 + squares1).total)
        while index < count {
            let deviation = row[index].float - centre
            sum += Double(deviation)
            squares += Double(deviation * deviation)
            index += 1
        }
        let n = Double(count)
        return Moments(count: n, mean: Double(centre) + sum / n, squares: max(squares - sum * sum / n, 0))
    }

    func maxPoolGradientSums(
        gradient: UnsafePointer<Scalar>, _ places: MaxPool.Places<Scalar>, mean: Float, _ count: Int
    ) -> (sum: Float, weighted: Float) {
        var sum = Lanes.zero
        var weighted = Lanes.zero
        let means = Lanes(repeating: mean)
        let closed = Lanes(repeating: Float(MaxPool.closed))
        var index = 0
        while index + laneCount <= count {
            let isClosed = UnsafePointer(places.taps).lanes(index) .== closed
            let value = gradient.lanes(index).replacing(with: 0, where: isClosed)
            sum += value
            weighted = multiplyAdd(weighted, value, places.inputs.lanes(index) - means)
            index += laneCount
        }
        var totals = (sum: sum.total, weighted: weighted.total)
        while index < count {
            if Int32(places.taps[index]) != MaxPool.closed {
                totals.sum += gradient[index].float
                totals.weighted += gradient[index].float * (places.inputs[index].float - mean)
            }
            index += 1
        }
        return totals
    }

    func applyAffineGradient(
        _ gradient: UnsafeMutablePointer<Scalar>, input: UnsafePointer<Scalar>, scale: Float, slope: Float,
        offset: Float, _ count: Int, ahead: Int
    ) {
        let scales = Lanes(repeating: scale)
        let slopes = Lanes(repeating: slope)
        let offsets = Lanes(repeating: offset)
        var index = 0
        while index + laneCount <= count {
            clanes_prefetch(input + (index + ahead))
            clanes_prefetch(gradient + (index + ahead))
            let sum = multiplyAdd(offsets, slopes, input.lanes(index))
            gradient.store(multiplyAdd(sum, scales, gradient.lanes(index)), index)
            index += laneCount
        }
        while index < count {
            let sum = slope * input[index].float + offset
            gradient[index] = Scalar(rounding: scale * gradient[index].float + sum)
            index += 1
        }
    }

    func rectifierBackward(
        _ gradient: UnsafeMutablePointer<Scalar>, out: UnsafePointer<Scalar>, _ count: Int
    ) -> Float {
        var sum0 = Lanes.zero
        var sum1 = Lanes.zero
        var index = 0
        while index + 2 * laneCount <= count {
            let a = gradient.lanes(index).replacing(with: 0, where: out.lanes(index) .<= Lanes.zero)
            let b = gradient.lanes(index + laneCount)
                .replacing(with: 0, where: out.lanes(index + laneCount) .<= Lanes.zero)
            gradient.store(a, index)
            gradient.store(b, index + laneCount)
            sum0 += a
            sum1 += b
            index += 2 * laneCount
        }
        var rest: Float = 0
        while index < count {
            if out[index].float <= 0 { gradient[index] = .zero }
            rest += gradient[index].float
            index += 1
        }
        return (sum0 + sum1).total + rest
    }
}
