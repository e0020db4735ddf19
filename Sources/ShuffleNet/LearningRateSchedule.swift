import Glibc

/// The learning rate as a function of the step, counted from zero over the whole run.
public enum LearningRateSchedule: Hashable, Sendable {
    case constant(Float)
    /// MindSpore's `cosine_decay_lr`: lr = min + ½(max − min)(1 + cos(π·min(⌊step / stepsPerEpoch⌋, E) / E)), one
    /// value an epoch.
    case cosineDecay(minimum: Float, maximum: Float, stepsPerEpoch: Int, decayEpochs: Int)
    /// A linear climb to `maximum` over `warmUpEpochs`, then a cosine to `minimum` at the end of the run, a value a
    /// step. What the source document's prose describes.
    case warmUpCosine(minimum: Float, maximum: Float, stepsPerEpoch: Int, warmUpEpochs: Int, epochs: Int)

    /// The rate for `step` (0 is the first). Total: any step past the end gets the last value.
    public func rate(at step: Int) -> Float {
        switch self {
        case .constant(let rate):
            return rate
        case .cosineDecay(let minimum, let maximum, let stepsPerEpoch, let decayEpochs):
            let epoch = min(step / max(stepsPerEpoch, 1), decayEpochs)
            return Self.cosine(minimum, maximum, Double(epoch) / Double(max(decayEpochs, 1)))
        case .warmUpCosine(let minimum, let maximum, let stepsPerEpoch, let warmUpEpochs, let epochs):
            let total = max(stepsPerEpoch * epochs, 1)
            // A run no longer than the warm-up would never come down again: climb over at most half of it.
            let warmUp = min(stepsPerEpoch * warmUpEpochs, total / 2)
            if step < warmUp { return maximum * Float(step + 1) / Float(warmUp) }
            let rest = max(total - warmUp, 1)
            return Self.cosine(minimum, maximum, Double(min(step - warmUp, rest)) / Double(rest))
        }
    }

    private static func cosine(_ minimum: Float, _ maximum: Float, _ progress: Double) -> Float {
        let low = Double(minimum)
        let high = Double(maximum)
        return Float(low + 0.5 * (high - low) * (1 + cos(.pi * progress)))
    }
}
