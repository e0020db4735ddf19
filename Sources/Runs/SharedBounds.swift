import ShuffleNet

/// Bounds that several kinds of run and the benchmarks have in common.
public enum SharedBounds {
    /// Images a batch.
    public static let batch = 1...4096
    /// Height and width of the network's input, for a network that is made here; a model may come with more.
    public static let pixels = NetworkConfiguration.minimumPixels...1024
}

extension ClosedRange where Bound == Int {
    /// For the end of a sentence: what was wanted.
    public var words: String { "\(lowerBound) to \(upperBound)" }
}
