/// Sums over a batch that `SmoothedCrossEntropy` measures in evaluation.
public struct BatchScore: Hashable, Sendable {
    /// Sum (not mean) of the losses.
    public var lossSum: Double = 0
    public var top1: Int = 0
    public var top5: Int = 0

    public init() {}
}

/// Cross-entropy with label smoothing: targets (1 − ε)·onehot + ε / K.
public enum SmoothedCrossEntropy {
    /// Loss sum, top-1 and top-5 hits of `logits` `[count][classes]` against `labels` `[count]`.
    public static func score(
        logits: UnsafePointer<Float>, labels: UnsafePointer<Int32>, count: Int, classes: Int,
        labelSmoothing: Float = 0.1
    ) -> BatchScore {
        BatchScore()
    }
}
