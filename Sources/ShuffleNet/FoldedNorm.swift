/// A batch norm in evaluation: `scale·x + shift` with the running statistics.
struct FoldedNorm {
    let scale: [Double]
    let shift: [Double]

    init(_ name: String, _ parameters: ParameterStore, channels: Int) {
        let gamma = parameters.pointer(name + ".gamma")
        let beta = parameters.pointer(name + ".beta")
        let mean = parameters.pointer(name + ".moving_mean")
        let variance = parameters.pointer(name + ".moving_variance")
        var scale: [Double] = []
        var shift: [Double] = []
        for channel in 0..<channels {
            let factor = Double(gamma[channel]) / (Double(variance[channel]) + BatchNorm.epsilon).squareRoot()
            scale.append(factor)
            shift.append(Double(beta[channel]) - Double(mean[channel]) * factor)
        }
        self.scale = scale
        self.shift = shift
    }
}
