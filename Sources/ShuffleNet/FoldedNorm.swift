/// A batch norm in evaluation: `scale·x + shift` with the running statistics.
struct FoldedNorm {
    let scale: [Double]
    let shift: [Double]
    /// The mean squares that the norm's output and `scale·x` are expected to have, if the running statistics are right.
    let outputSquare: Double
    let scaledSquare: Double

    init(_ name: String, _ parameters: ParameterStore, channels: Int) {
        let gamma = parameters.pointer(name + ".gamma")
        let beta = parameters.pointer(name + ".beta")
        let mean = parameters.pointer(name + ".moving_mean")
        let variance = parameters.pointer(name + ".moving_variance")
        var scale: [Double] = []
        var shift: [Double] = []
        var outputSquare = 0.0
        var scaledSquare = 0.0
        for channel in 0..<channels {
            let factor = Double(gamma[channel]) / (Double(variance[channel]) + BatchNorm.epsilon).squareRoot()
            scale.append(factor)
            let scaledMean = Double(mean[channel]) * factor
            shift.append(Double(beta[channel]) - scaledMean)
            let variance = Double(gamma[channel]) * Double(gamma[channel])
            outputSquare += (variance + Double(beta[channel]) * Double(beta[channel])) / Double(channels)
            scaledSquare += (variance + scaledMean * scaledMean) / Double(channels)
        }
        self.outputSquare = outputSquare
        self.scaledSquare = scaledSquare
        self.scale = scale
        self.shift = shift
    }
}
