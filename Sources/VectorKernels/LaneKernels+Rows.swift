public import Kernels

extension LaneKernels {
    public func sum(_ row: UnsafePointer<Float>, _ count: Int) -> Float {
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
            rest += row[index]
            index += 1
        }
        return (sum0 + sum1).total + rest
    }

    /// `row -= mean`, in place.
    public func centre(_ row: UnsafeMutablePointer<Float>, _ count: Int, by mean: Float) {
        var index = 0
        while index + laneCount <= count {
            row.store(row.lanes(index) - mean, index)
            index += laneCount
        }
        while index < count {
            row[index] -= mean
            index += 1
        }
    }

    /// Deviations are taken from the row's own mean, so a large mean costs no digits.
    public func moments(_ row: UnsafePointer<Float>, _ count: Int) -> Moments {
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
            let deviation = row[index] - centre
            sum += Double(deviation)
            squares += Double(deviation * deviation)
            index += 1
        }
        let n = Double(count)
        return Moments(count: n, mean: Double(centre) + sum / n, squares: max(squares - sum * sum / n, 0))
    }

    public func applyAffine(_ row: UnsafeMutablePointer<Float>, slope: Float, offset: Float, _ count: Int) {
        let slopes = Lanes(repeating: slope)
        let offsets = Lanes(repeating: offset)
        var index = 0
        while index + laneCount <= count {
            row.store(multiplyAdd(offsets, row.lanes(index), slopes), index)
            index += laneCount
        }
        while index < count {
            row[index] = offset + row[index] * slope
            index += 1
        }
    }

    public func applyAffineGradient(
        _ gradient: UnsafeMutablePointer<Float>, input: UnsafePointer<Float>, scale: Float, slope: Float,
        offset: Float, _ count: Int
    ) {
        let scales = Lanes(repeating: scale)
        let slopes = Lanes(repeating: slope)
        let offsets = Lanes(repeating: offset)
        var index = 0
        while index + laneCount <= count {
            let sum = multiplyAdd(offsets, slopes, input.lanes(index))
            gradient.store(multiplyAdd(sum, scales, gradient.lanes(index)), index)
            index += laneCount
        }
        while index < count {
            gradient[index] = scale * gradient[index] + (slope * input[index] + offset)
            index += 1
        }
    }

    public func rectifierBackward(
        _ gradient: UnsafeMutablePointer<Float>, out: UnsafePointer<Float>, _ count: Int
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
            if out[index] <= 0 { gradient[index] = 0 }
            rest += gradient[index]
            index += 1
        }
        return (sum0 + sum1).total + rest
    }

    public func updateWithMomentum(
        weights: UnsafeMutablePointer<Float>, velocities: UnsafeMutablePointer<Float>,
        gradients: UnsafePointer<Float>, _ count: Int, rate: Float, momentum: Float, decay: Float
    ) {
        var index = 0
        while index + laneCount <= count {
            let weight = weights.lanes(index)
            let velocity = velocities.lanes(index) * momentum + (gradients.lanes(index) + weight * decay)
            velocities.store(velocity, index)
            weights.store(weight - velocity * rate, index)
            index += laneCount
        }
        while index < count {
            let velocity = velocities[index] * momentum + (gradients[index] + weights[index] * decay)
            velocities[index] = velocity
            weights[index] -= velocity * rate
            index += 1
        }
    }
}
