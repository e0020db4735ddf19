/// Count, mean and sum of squared deviations of a set of values; sets can be merged.
///
/// Source: Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances" (1979).
public struct Moments: Sendable, Equatable, BitwiseCopyable {
    public var count: Double = 0
    public var mean: Double = 0
    public var squares: Double = 0

    public init() {}

    public init(count: Double, mean: Double, squares: Double) {
        self.count = count
        self.mean = mean
        self.squares = squares
    }

    /// The variance that batch norm normalises with (divided by n).
    public var biasedVariance: Double { count > 0 ? squares / count : 0 }

    /// The variance that goes into the running statistics (divided by n − 1).
    public var unbiasedVariance: Double { squares / max(count - 1, 1) }

    public mutating func merge(_ other: Moments) {
        if other.count == 0 { return }
        let sum = count + other.count
        let shift = other.mean - mean
        mean += shift * (other.count / sum)
        squares += other.squares + shift * shift * (count * other.count / sum)
        count = sum
    }
}

/// Moments of a stretch of one channel's row.
public enum RowMoments {
    /// `row` holds `count` values, some thousands at most: partial sums are float32, so longer rows are measured in
    /// pieces and merged. Deviations are taken from the piece's own mean, so a large mean costs no digits.
    public static func measure(_ row: UnsafePointer<Float>, _ count: Int) -> Moments {
        if count <= 0 { return Moments() }
        let first = Double(RowSum.sum(row, count)) / Double(count)
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

    public static func reference<Element: BinaryFloatingPoint>(_ row: UnsafePointer<Element>, _ count: Int) -> Moments {
        if count <= 0 { return Moments() }
        var mean = 0.0
        for index in 0..<count { mean += Double(row[index]) }
        mean /= Double(count)
        var squares = 0.0
        for index in 0..<count {
            let deviation = Double(row[index]) - mean
            squares += deviation * deviation
        }
        return Moments(count: Double(count), mean: mean, squares: squares)
    }
}
