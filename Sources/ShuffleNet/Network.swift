import Support

/// The parameters and running statistics of one ShuffleNet V1.
///
/// A network is plain memory with names; `InferenceSession` and `Trainer` do the work. Values are copied in and out as
/// float32 arrays in MindSpore's element order.
public final class Network: @unchecked Sendable {
    // Unchecked: plain memory without locks. Whoever trains it or writes to it must be alone with it meanwhile.

    public let configuration: NetworkConfiguration
    /// Every array in MindSpore's order.
    public var parameters: [ParameterSpecification] { store.layout.specifications }

    let store: ParameterStore

    /// A network with seeded initial weights: Xavier uniform for convolutions (fan-in and fan-out of each group's own
    /// convolution), U(±1/√inputs) for the dense layer, γ 1, β 0, running mean 0, running variance 1.
    ///
    /// Every array draws from a stream of its own, so the values of one do not depend on the size of another.
    public init(configuration: NetworkConfiguration, seed: UInt64) {
        self.configuration = configuration
        store = ParameterStore(ParameterLayout(configuration.parameters))
        store.initialise(seed: seed)
    }

    /// A copy of the array `name`. Throws `NetworkError.unknownParameter`.
    public func values(of name: String) throws(NetworkError) -> [Float] {
        try store.read(name)
    }

    /// Replaces the array `name`. Throws `NetworkError` for an unknown name or a wrong number of values.
    public func setValues(_ values: [Float], of name: String) throws(NetworkError) {
        try store.write(values, to: name)
    }

    /// Copies every value of `other`, which must have the same configuration.
    public func copyValues(from other: Network) {
        precondition(
            configuration == other.configuration,
            "values can only be copied between networks of one configuration")
        store.values.pointer.update(from: other.store.values.pointer, count: store.values.count)
    }
}
