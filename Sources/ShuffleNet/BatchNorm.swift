import Kernels
import Support

/// One batch normalisation in training: its parameters, running statistics and gradients by address, and this step's
/// statistics.
package final class BatchNorm {
    package static let epsilon = 1e-5
    /// running = 0.9·running + 0.1·batch.
    static let runningShare: Float = 0.9

    let channels: Int
    let gamma: UnsafeMutablePointer<Float>
    let beta: UnsafeMutablePointer<Float>
    private let movingMean: UnsafeMutablePointer<Float>
    private let movingVariance: UnsafeMutablePointer<Float>
    private let gammaGradient: UnsafeMutablePointer<Float>
    private let betaGradient: UnsafeMutablePointer<Float>
    private let owners: [ParameterStore]

    /// This step's statistics.
    let mean: AlignedBuffer<Double>
    /// 1 / √(variance + ε).
    let inverseDeviation: AlignedBuffer<Double>
    /// The norm as an affine function of its input: γ/σ and β − mean·γ/σ.
    let scale: AlignedBuffer<Float>
    let shift: AlignedBuffer<Float>

    init(_ name: String, channels: Int, parameters: ParameterStore, gradients: ParameterStore) {
        self.channels = channels
        gamma = parameters.pointer(name + ".gamma")
        beta = parameters.pointer(name + ".beta")
        movingMean = parameters.pointer(name + ".moving_mean")
        movingVariance = parameters.pointer(name + ".moving_variance")
        gammaGradient = gradients.pointer(name + ".gamma")
        betaGradient = gradients.pointer(name + ".beta")
        owners = [parameters, gradients]
        mean = AlignedBuffer(count: channels)
        inverseDeviation = AlignedBuffer(count: channels)
        scale = AlignedBuffer(count: channels)
        shift = AlignedBuffer(count: channels)
    }

    /// Takes a channel's batch statistics: normalises with the biased variance, moves the running statistics by the
    /// unbiased one.
    func take(_ moments: Moments, channel: Int) {
        let inverse = 1 / (moments.biasedVariance + Self.epsilon).squareRoot()
        mean.pointer[channel] = moments.mean
        inverseDeviation.pointer[channel] = inverse
        let scale = Double(gamma[channel]) * inverse
        self.scale.pointer[channel] = Float(scale)
        shift.pointer[channel] = Float(Double(beta[channel]) - moments.mean * scale)
        let share = Self.runningShare
        movingMean[channel] = share * movingMean[channel] + (1 - share) * Float(moments.mean)
        movingVariance[channel] = share * movingVariance[channel] + (1 - share) * Float(moments.unbiasedVariance)
    }

    /// Merges the slots' moments `[slots][channels]` in slot order and takes them.
    func take(slots: UnsafePointer<Moments>, count: Int) {
        for channel in 0..<channels {
            var moments = Moments()
            for slot in 0..<count { moments.merge(slots[slot * channels + channel]) }
            take(moments, channel: channel)
        }
    }

    /// dβ, and dγ given the sum of dy·(x − mean)/σ.
    func setGradient(channel: Int, beta: Double, gamma: Double) {
        betaGradient[channel] = Float(beta)
        gammaGradient[channel] = Float(gamma)
    }

    /// The gradient at the norm's input as `scale·dy + slope·x + offset`, from Σdy and Σ dy·(x − mean) over `count`
    /// values; sets dβ and dγ. Nothing is divided by γ, which may be zero.
    func takeGradient(
        channel: Int, sum: Double, weighted: Double, count: Int
    ) -> (scale: Float, slope: Float, offset: Float) {
        let inverse = inverseDeviation.pointer[channel]
        let gammaGradient = weighted * inverse
        setGradient(channel: channel, beta: sum, gamma: gammaGradient)
        let scale = Double(gamma[channel]) * inverse
        let slope = -scale * inverse * gammaGradient / Double(count)
        let offset = -scale * sum / Double(count) - slope * mean.pointer[channel]
        return (Float(scale), Float(slope), Float(offset))
    }
}
