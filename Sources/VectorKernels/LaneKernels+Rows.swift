internal import Kernels

extension LaneActivationKernels {
    func fill(_ row: UnsafeMutablePointer<Scalar>, _ count: Int, with value: Float) {
        let values = Lanes(repeating: value)
        for index in stride(from: 0, to: count, by: laneCount) { row.store(values, index, before: count) }
    }

    func sum(_ row: UnsafePointer<Scalar>, _ count: Int) -> Double {
        var sum = 0.0
        for first in stride(from: 0, to: count, by: RowMoments.pieceLength) {
            sum += Double(pieceSum(row + first, min(count - first, RowMoments.pieceLength)))
        }
        return sum
    }

    private func pieceSum(_ row: UnsafePointer<Scalar>, _ count: Int) -> Float {
        var sum0 = Lanes.zero
        var sum1 = Lanes.zero
        var index = 0
        while index + 4 * laneCount <= count {
            sum0 = Scalar.adding(sum0, row + index)
            sum1 = Scalar.adding(sum1, row + (index + 2 * laneCount))
            index += 4 * laneCount
        }
        while index < count {
            sum0 += row.lanes(index).keeping(first: count - index)
            index += laneCount
        }
        return (sum0 + sum1).total
    }

    func centre(_ row: UnsafeMutablePointer<Scalar>, _ count: Int, by mean: Float) -> Moments {
        var sum = 0.0
        var squares = 0.0
        for first in stride(from: 0, to: count, by: RowMoments.pieceLength) {
            let end = min(first + RowMoments.pieceLength, count)
            var deviations = DeviationSums()
            var index = first
            while index + 2 * laneCount <= end {
                let (a, b) = Scalar.loadPair(row + index)
                let deviation = (a - mean, b - mean)
                Scalar.storePair(deviation.0, deviation.1, row + index)
                deviations.add(deviation.0, deviation.1)
                index += 2 * laneCount
            }
            while index < end {
                let value = row.lanes(index) - mean
                row.store(value, index, before: end)
                deviations.add(value.keeping(first: end - index), Lanes.zero)
                index += laneCount
            }
            sum += deviations.sum
            squares += deviations.squares
        }
        return Moments(count: count, centre: mean, sum: sum, squares: squares)
    }

    /// Deviations are taken from the row's own mean, so a large mean costs no digits.
    func moments(_ row: UnsafePointer<Scalar>, _ count: Int) -> Moments {
        if count <= 0 { return Moments() }
        let centre = Float(Double(pieceSum(row, count)) / Double(count))
        var deviations = DeviationSums()
        var index = 0
        while index + 2 * laneCount <= count {
            let (a, b) = Scalar.loadPair(row + index)
            deviations.add(a - centre, b - centre)
            index += 2 * laneCount
        }
        while index < count {
            deviations.add((row.lanes(index) - centre).keeping(first: count - index), Lanes.zero)
            index += laneCount
        }
        return Moments(count: count, centre: centre, sum: deviations.sum, squares: deviations.squares)
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
        while index + 2 * laneCount <= count {
            input.prefetchPair(index + ahead)
            UnsafePointer(gradient).prefetchPair(index + ahead)
            let inputs = Scalar.loadPair(input + index)
            let gradients = Scalar.loadPair(gradient + index)
            Scalar.storePair(
                multiplyAdd(multiplyAdd(offsets, slopes, inputs.0), scales, gradients.0),
                multiplyAdd(multiplyAdd(offsets, slopes, inputs.1), scales, gradients.1), gradient + index)
            index += 2 * laneCount
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
        while index + 4 * laneCount <= count {
            let next = index + 2 * laneCount
            Scalar.close(gradient + index, out: out + index)
            Scalar.close(gradient + next, out: out + next)
            sum0 = Scalar.adding(sum0, gradient + index)
            sum1 = Scalar.adding(sum1, gradient + next)
            index += 4 * laneCount
        }
        while index + 2 * laneCount <= count {
            Scalar.close(gradient + index, out: out + index)
            sum0 = Scalar.adding(sum0, gradient + index)
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

/// What deviations from some centre add up to, and their squares.
private struct DeviationSums {
    private var sum0 = Lanes.zero
    private var sum1 = Lanes.zero
    private var squares0 = Lanes.zero
    private var squares1 = Lanes.zero

    @inline(__always)
    var sum: Double { Double((sum0 + sum1).total) }
    @inline(__always)
    var squares: Double { Double((squares0 + squares1).total) }

    @inline(__always)
    mutating func add(_ a: Lanes, _ b: Lanes) {
        sum0 += a
        sum1 += b
        squares0 = multiplyAdd(squares0, a, a)
        squares1 = multiplyAdd(squares1, b, b)
    }
}

extension Moments {
    /// - Parameters:
    ///   - centre: near the mean, which deviations were taken from.
    ///   - sum: of the deviations.
    ///   - squares: the sum of their squares.
    fileprivate init(count: Int, centre: Float, sum: Double, squares: Double) {
        if count <= 0 {
            self.init()
            return
        }
        let n = Double(count)
        self.init(count: n, mean: Double(centre) + sum / n, squares: max(squares - sum * sum / n, 0))
    }
}
