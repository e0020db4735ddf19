import Support

extension ParameterStore {
    /// Fills every array with its seeded initial values.
    func initialise(seed: UInt64) {
        for (position, specification) in layout.specifications.enumerated() {
            let values = UnsafeMutableBufferPointer(
                start: self.values.pointer + layout.slots[position].offset, count: specification.count)
            switch specification.kind {
            case .convolution:
                Self.fill(values, bound: Self.xavierBound(specification.shape), seed, position)
            case .denseWeight, .denseBias:
                Self.fill(values, bound: Self.denseBound(in: layout.specifications), seed, position)
            case .gamma, .movingVariance: values.update(repeating: 1)
            case .beta, .movingMean: values.update(repeating: 0)
            }
        }
    }

    /// √(6 / (fan-in + fan-out)) with fan-in = shape[1]·kh·kw and fan-out = shape[0]·kh·kw (Glorot and Bengio 2010,
    /// as MindSpore's `xavier_uniform` computes fans).
    private static func xavierBound(_ shape: [Int]) -> Float {
        let kernel = shape[2] * shape[3]
        return (6 / Float((shape[0] + shape[1]) * kernel)).squareRoot()
    }

    private static func denseBound(in specifications: [ParameterSpecification]) -> Float {
        let inputs = specifications.first { $0.kind == .denseWeight }?.shape[1] ?? 1
        return 1 / Float(inputs).squareRoot()
    }

    private static func fill(
        _ values: UnsafeMutableBufferPointer<Float>, bound: Float, _ seed: UInt64, _ position: Int
    ) {
        var generator = SeededGenerator(seed: seed, stream: position)
        for index in values.indices { values[index] = (2 * generator.nextUnit() - 1) * bound }
    }
}
