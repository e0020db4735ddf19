extension Trainer {
    /// Bytes that a trainer keeps for a batch, nearly all of what it allocates: each unit's three maps, the gradients at
    /// the stages' ends and the widest unit's own.
    public static func activationBytes(
        configuration: NetworkConfiguration, pixels: Int, batch: Int, precision: Precision
    ) -> Int {
        let half = (pixels + 1) / 2
        var side = (half + 1) / 2
        // The stem's convolution, its pooled map, the inputs that became its maxima and the gradient there; and of each
        // maximum where it was, a byte.
        var values = configuration.stemChannels * (half * half + 3 * side * side)
        let places = configuration.stemChannels * side * side * batch
        var widest = 0
        for unit in configuration.units {
            let inArea = side * side
            side = unit.outputSide(side)
            let outArea = side * side
            values += unit.middle * (inArea + outArea) + unit.outputs * outArea
            if unit.stride == 2 { values += unit.outputs * outArea }
            widest = max(widest, unit.middle * (inArea + outArea))
        }
        return (values + widest) * batch * precision.bytes + places
    }
}
