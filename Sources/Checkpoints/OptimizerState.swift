public import ShuffleNet

/// The momentum optimiser's state between two steps, as MindSpore's training files hold it.
///
/// In a file: `global_step` (Int32, `[1]`), `learning_rate` and `momentum` (Float32 scalars), `moments.<parameter>`.
public struct OptimizerState: Sendable, Equatable {
    /// Steps done.
    public var globalStep: Int
    /// The rate of the last step.
    public var learningRate: Float
    public var momentum: Float
    /// One for each trainable parameter, under the parameter's name and in the network's order.
    public var velocities: [NamedTensor]

    public init(globalStep: Int, learningRate: Float, momentum: Float, velocities: [NamedTensor]) {
        self.globalStep = globalStep
        self.learningRate = learningRate
        self.momentum = momentum
        self.velocities = velocities
    }

    static let velocityPrefix = "moments."

    /// Copies a trainer's velocities.
    public init(trainer: Trainer, globalStep: Int, learningRate: Float) throws(NetworkError) {
        var velocities: [NamedTensor] = []
        for parameter in trainer.network.parameters where parameter.isTrainable {
            let values = try trainer.velocity(of: parameter.name)
            velocities.append(NamedTensor(name: parameter.name, shape: parameter.shape, elements: values))
        }
        self.init(
            globalStep: globalStep, learningRate: learningRate, momentum: trainer.optimizer.momentum,
            velocities: velocities)
    }

    /// Gives the velocities to a trainer whose network has the parameters they were made for.
    public func restore(into trainer: Trainer) throws {
        for velocity in velocities { try trainer.setVelocity(velocity.floats(), of: velocity.name) }
    }

    /// The state in a checkpoint.
    ///
    /// A file of ours announces the state in its card: then a missing part throws `CheckpointError`, because the file
    /// was cut. A file from elsewhere may hold the state of another optimiser or of a few layers, which is no reason
    /// to refuse its network: then an incomplete state is none, nil.
    init?(_ checkpoint: Checkpoint, configuration: NetworkConfiguration) throws(CheckpointError) {
        let trainable = configuration.parameters.filter(\.isTrainable)
        let wanted = ["global_step", "learning_rate", "momentum"] + trainable.map { Self.velocityPrefix + $0.name }
        guard checkpoint.contains(ModelCard.Key.optimizer.rawValue) || wanted.allSatisfy(checkpoint.contains) else {
            return nil
        }
        globalStep = Int(try Self.scalar("global_step", in: checkpoint))
        learningRate = Float(try Self.scalar("learning_rate", in: checkpoint))
        momentum = Float(try Self.scalar("momentum", in: checkpoint))
        velocities = []
        for parameter in trainable {
            let values = try checkpoint.floats(Self.velocityPrefix + parameter.name, shape: parameter.shape)
            velocities.append(NamedTensor(name: parameter.name, shape: parameter.shape, elements: values))
        }
    }

    func append(to checkpoint: inout Checkpoint) {
        checkpoint.append(NamedTensor(name: "global_step", shape: [1], elements: [Int32(clamping: globalStep)]))
        checkpoint.append(NamedTensor(name: "learning_rate", shape: [], elements: [learningRate]))
        checkpoint.append(NamedTensor(name: "momentum", shape: [], elements: [momentum]))
        for var velocity in velocities {
            velocity.name = Self.velocityPrefix + velocity.name
            checkpoint.append(velocity)
        }
    }

    /// A tensor of one number, whole or not. A schedule of MindSpore is a tensor of many: then its last value.
    private static func scalar(_ name: String, in checkpoint: Checkpoint) throws(CheckpointError) -> Double {
        guard let tensor = checkpoint.tensor(name) else { throw .missing(name) }
        let value: Double?
        switch tensor.elementType {
        case .int32: value = try tensor.elements(as: Int32.self).last.map(Double.init)
        case .int64: value = try tensor.elements(as: Int64.self).last.map(Double.init)
        default: value = try tensor.floats().last.map(Double.init)
        }
        guard let value, value.isFinite, abs(value) < 1e15 else {
            throw CheckpointError("tensor \(name.quoted) of shape \(tensor.shape) holds no usable number")
        }
        return value
    }
}
