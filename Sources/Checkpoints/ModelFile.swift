public import ShuffleNet

/// A ShuffleNet V1 in a file: its weights, its card, and the optimiser's state when training goes on from it.
public struct ModelFile: Sendable, Equatable {
    public let configuration: NetworkConfiguration
    /// Every array of the network, running statistics included, as float32 in the network's order.
    public let parameters: [NamedTensor]
    public var card: ModelCard
    /// Nil for a file that is only meant for evaluation and classification.
    public var optimizer: OptimizerState?

    /// Copies a network's values.
    ///
    /// The card's class names, if any, must be as many as the network's classes, and an optimiser state must have the
    /// network's trainable parameters.
    public init(network: Network, card: ModelCard, optimizer: OptimizerState? = nil) {
        let classes = network.configuration.classes
        precondition(
            card.classNames.map { $0.count == classes } ?? true,
            "\(card.classNames?.count ?? 0) class names cannot name \(classes) classes")
        configuration = network.configuration
        parameters = network.parameters.map { parameter in
            guard let values = try? network.values(of: parameter.name) else {
                preconditionFailure("the network does not know its own parameter '\(parameter.name)'")
            }
            return NamedTensor(name: parameter.name, shape: parameter.shape, elements: values)
        }
        if let optimizer {
            let trainable = network.parameters.filter(\.isTrainable)
            precondition(
                optimizer.velocities.map(\.name) == trainable.map(\.name),
                "the optimiser's state belongs to another network")
        }
        self.card = card
        self.optimizer = optimizer
    }

    /// Reads a model file, ours or MindSpore's; see `init(_:)` for what is checked.
    public init(path: String) throws(CheckpointError) {
        do throws(CheckpointError) {
            try self.init(Checkpoint(path: path))
        } catch { throw error.naming(path) }
    }

    /// Finds the network in a checkpoint.
    ///
    /// Size, groups and classes follow from names and shapes. Throws `CheckpointError` when the checkpoint holds no
    /// ShuffleNet V1, when a tensor of it is missing, superfluous, of another shape or not finite, when the class
    /// names are not as many as the classes, and when a part of the optimiser's state is missing that the card announces.
    /// Entries that MindSpore or others add under names of their own are left alone.
    public init(_ checkpoint: Checkpoint) throws(CheckpointError) {
        configuration = try NetworkConfiguration(matching: checkpoint)
        var parameters: [NamedTensor] = []
        for wanted in configuration.parameters {
            let values = try checkpoint.floats(wanted.name, shape: wanted.shape)
            if let index = values.firstIndex(where: { !$0.isFinite }) {
                throw CheckpointError(
                    "tensor \(wanted.name.quoted) holds \(values[index]) at position \(index), wanted were finite "
                        + "numbers: did its training diverge?")
            }
            parameters.append(NamedTensor(name: wanted.name, shape: wanted.shape, elements: values))
        }
        self.parameters = parameters
        card = try ModelCard(checkpoint)
        if let names = card.classNames, names.count != configuration.classes {
            throw CheckpointError(
                "it names \(names.count) classes, its classifier has \(configuration.classes) outputs")
        }
        optimizer = try OptimizerState(checkpoint, configuration: configuration)
    }

    /// The same without what only a training needs.
    public var weightsOnly: ModelFile {
        var file = self
        file.optimizer = nil
        file.card.runState = nil
        return file
    }

    /// The entries of the file: texts first, so that a reader knows early what to expect; then the network; then the
    /// optimiser's state.
    public var checkpoint: Checkpoint {
        var checkpoint = Checkpoint()
        checkpoint.append(configuration.size.rawValue, named: ModelCard.Key.modelSize.rawValue)
        checkpoint.append("\(configuration.groups.rawValue)", named: ModelCard.Key.groups.rawValue)
        card.append(to: &checkpoint)
        if optimizer != nil { checkpoint.append("momentum", named: ModelCard.Key.optimizer.rawValue) }
        for parameter in parameters { checkpoint.append(parameter) }
        optimizer?.append(to: &checkpoint)
        return checkpoint
    }

    /// Writes the file, with checksum when it is a `.ckpt`. It appears whole or not at all.
    public func write(to path: String) throws(CheckpointError) {
        try checkpoint.write(to: path)
    }
}
