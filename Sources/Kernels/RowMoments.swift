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
    /// Partial sums are float32, so longer rows are summed up in pieces.
    public static let pieceLength = 4096

    /// `row` holds `count` values.
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
