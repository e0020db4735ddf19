import Kernels

/// Sums over images that `SmoothedCrossEntropy` measures in evaluation.
public struct BatchScore: Hashable, Sendable {
    /// Sum (not mean) of the losses.
    public var lossSum: Double = 0
    /// Images whose label had the largest logit, or one of the five largest.
    public var top1: Int = 0
    public var top5: Int = 0

    public init() {}
}

/// Cross-entropy with label smoothing: targets (1 − ε)·onehot + ε / K.
public enum SmoothedCrossEntropy {
    /// Loss sum, top-1 and top-5 hits of `logits` `[count][classes]` against `labels` `[count]`, each label in
    /// `0 ..< classes`.
    public static func score(
        logits: UnsafePointer<Float>, labels: UnsafePointer<Int32>, count: Int, classes: Int,
        labelSmoothing: Float = 0.1
    ) -> BatchScore {
        var score = BatchScore()
        for image in 0..<count {
            let row = logits + image * classes
            let label = Int(labels[image])
            precondition(label >= 0 && label < classes, "label \(label) lies outside the network's \(classes) classes")
            score.lossSum += CrossEntropy.evaluate(
                row, label: label, classes: classes, smoothing: Double(labelSmoothing), gradient: nil, factor: 1)
            let rank = CrossEntropy.rank(row, label: label, classes: classes)
            if rank == 0 { score.top1 += 1 }
            if rank < 5 { score.top5 += 1 }
        }
        return score
    }
}
