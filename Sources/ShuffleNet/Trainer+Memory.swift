import Kernels

extension Trainer {
    /// Bytes that a trainer keeps for a batch, nearly all of what it allocates: each unit's three maps, the gradients at
    /// the stages' ends and the widest unit's own.
    public static func activationBytes(
        configuration: NetworkConfiguration, pixels: Int, batch: Int, precision: Precision
    ) -> Int {
        let geometry = NetworkGeometry(configuration, pixels: pixels)
        // The stem's convolution, its pooled map, the inputs that became its maxima and the gradient there; and of each
        // maximum where it was, a byte.
        let (convolved, pooled) = (geometry.stem.convolution.outArea, geometry.stem.pool.outArea)
        var values = configuration.stemChannels * (convolved + 3 * pooled)
        let places = configuration.stemChannels * pooled * batch
        var widest = 0
        for unit in geometry.units {
            let (shape, window) = (unit.shape, unit.window)
            let inside = shape.middle * (window.inArea + window.outArea)
            values += inside + shape.outputs * window.outArea
            if shape.stride == 2 { values += shape.outputs * window.outArea }
            widest = max(widest, inside)
        }
        return (values + widest) * batch * precision.bytes + places
    }
}
