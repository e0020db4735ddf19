import Glibc

/// Softmax cross-entropy with smoothed targets (1 − ε)·onehot + ε / K, one image.
public enum CrossEntropy {
    /// Returns the loss of `logits` `[classes]`; if asked, writes the gradient times `factor` (1 / batch for a mean).
    /// Sums are in double precision.
    public static func evaluate(
        _ logits: UnsafePointer<Float>, label: Int, classes: Int, smoothing: Double,
        gradient: UnsafeMutablePointer<Float>?, factor: Double
    ) -> Double {
        var largest = logits[0]
        for index in 1..<max(classes, 1) where logits[index] > largest { largest = logits[index] }
        var partition = 0.0
        var shifted = 0.0
        for index in 0..<classes {
            let value = Double(logits[index]) - Double(largest)
            partition += exp(value)
            shifted += value
        }
        let logPartition = log(partition)
        let share = smoothing / Double(classes)
        if let gradient {
            for index in 0..<classes {
                let probability = exp(Double(logits[index]) - Double(largest) - logPartition)
                let target = (index == label ? 1 - smoothing : 0) + share
                gradient[index] = Float((probability - target) * factor)
            }
        }
        let hit = Double(logits[label]) - Double(largest) - logPartition
        let all = shifted - Double(classes) * logPartition
        return -((1 - smoothing) * hit + share * all)
    }

    /// How many logits beat the label's: 0 means top-1. Equal values rank by index; a NaN label ranks nowhere, `Int.max`.
    public static func rank(_ logits: UnsafePointer<Float>, label: Int, classes: Int) -> Int {
        let own = logits[label]
        if own.isNaN { return .max }
        var rank = 0
        for index in 0..<classes where logits[index] > own || (logits[index] == own && index < label) { rank += 1 }
        return rank
    }
}
