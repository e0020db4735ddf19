internal import Support

/// Random changes to training pictures. Evaluation and classification use `.none`.
public enum Augmentation: String, Sendable, Hashable, Codable, CaseIterable {
    case none
    /// The source document's, before the resize: a border of 4 black pixels, a random crop of the old size, mirrored
    /// every other time.
    case cifar
    /// A random part of 35 to 100 % of the area, 3:4 to 4:3, resized to the input; mirrored every other time. Takes the
    /// place of the preprocessing's geometry.
    case photographs

    static let border = 4
    static let area: ClosedRange<Double> = 0.35...1
    static let ratio: ClosedRange<Double> = 0.75...(4.0 / 3)
}

extension SeededGenerator {
    /// A uniform value in 0..<bound. Not the standard library's, whose algorithm may change between releases.
    mutating func below(_ bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// A uniform value in [lower, upper) with 53 random bits.
    mutating func uniform(_ range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * (Double(next() >> 11) * 0x1p-53)
    }
}
