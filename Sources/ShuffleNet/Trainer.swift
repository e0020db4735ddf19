public import KernelSets
import Kernels
public import Support

/// Trains a network in place: forward, backward and update, with all memory allocated at the start.
///
/// Results depend on the network's values, the batches, the velocities and nothing else: not on the number of
/// threads, so a resumed run that restores parameters, running statistics and velocities goes on bit for bit.
/// One `step` at a time; nothing else may write to the network meanwhile.
public final class Trainer {
    public let network: Network
    /// Side of the square input, at least `NetworkConfiguration.minimumPixels`.
    public let pixels: Int
    /// The largest batch a step may have.
    public let batch: Int
    public let precision: Precision
    public var optimizer: MomentumSGD
    public let loss: LossOptions

    private let gradients: ParameterStore
    private let velocities: ParameterStore
    private let pool: ThreadPool
    private let trained: any DifferentiableNetwork
    private let kernels: any KernelSet

    /// - Parameter instructionSet: one that is supported.
    public init(
        network: Network, pixels: Int, batch: Int, pool: ThreadPool, optimizer: MomentumSGD = MomentumSGD(),
        loss: LossOptions = LossOptions(), precision: Precision = .float32, instructionSet: InstructionSet = .current
    ) {
        precondition(batch >= 1, "a batch needs at least one image, not \(batch)")
        MatrixProduct.useOneThread()
        self.network = network
        self.pixels = pixels
        self.batch = batch
        self.precision = precision
        self.optimizer = optimizer
        self.loss = loss
        let store = network.store
        let gradients = ParameterStore(store.layout)
        self.gradients = gradients
        velocities = ParameterStore(store.layout)

        self.pool = pool
        let kernels = instructionSet.kernels
        self.kernels = kernels
        func make<Scalar: ActivationScalar>(_: Scalar.Type) -> TrainedNetwork<Scalar> {
            TrainedNetwork(
                network.configuration, pixels: pixels, batch: batch, parameters: store, gradients: gradients,
                kernels: Scalar.kernels(of: kernels), pool: pool)
        }
        trained =
            switch precision {
            case .float32: make(Float.self)
            case .bfloat16: make(BFloat16.self)
            }
    }

    /// One step of momentum SGD on the mean label-smoothed cross-entropy of a batch.
    ///
    /// - Parameters:
    ///   - images: `[count][3][pixels][pixels]`, contiguous float32.
    ///   - labels: `[count]`, each in `0 ..< classes`.
    ///   - count: 1 ... `batch`; an epoch's last batch may be smaller.
    public func step(
        images: UnsafePointer<Float>, labels: UnsafePointer<Int32>, count: Int, learningRate: Float
    ) -> StepResult {
        step(
            images: PlanarImages(images, pixels: pixels), labels: labels, count: count, learningRate: learningRate)
    }

    /// The same for the first `count` images of any source of `pixels` × `pixels`.
    public func step(
        images: some InputImages, labels: UnsafePointer<Int32>, count: Int, learningRate: Float
    ) -> StepResult {
        let result = differentiate(images: images, labels: labels, count: count)
        update(learningRate)
        return result
    }

    /// A step without the update: running statistics move, gradients are set, parameters stay.
    func differentiate(
        images: some InputImages, labels: UnsafePointer<Int32>, count: Int
    ) -> StepResult {
        precondition(count >= 1 && count <= batch, "a step takes 1 to \(batch) images, not \(count)")
        let result = trained.differentiate(images: images, labels: labels, count: count, loss: loss)
        if loss.scale != 1 { unscaleGradients() }
        return result
    }

    private func unscaleGradients() {
        let slots = network.store.layout.slots
        let factor = 1 / loss.scale
        pool.run(slots.count) { index, _ in
            let slot = slots[index]
            let values = UnsafeMutableBufferPointer(start: gradients.values.pointer + slot.offset, count: slot.count)
            for position in values.indices { values[position] *= factor }
        }
    }

    private func update(_ learningRate: Float) {
        let slots = network.store.layout.slots
        let weights = network.store.values.pointer
        pool.run(slots.count) { index, _ in
            let slot = slots[index]
            if !slot.isTrainable { return }
            kernels.updateWithMomentum(
                weights: weights + slot.offset, velocities: velocities.values.pointer + slot.offset,
                gradients: gradients.values.pointer + slot.offset, slot.count, rate: learningRate,
                momentum: optimizer.momentum, decay: slot.isDecayed ? optimizer.weightDecay : 0)
        }
    }

    /// The gradient of the last step's loss with respect to the trainable array `name`, without weight decay.
    public func gradient(of name: String) throws(NetworkError) -> [Float] {
        try gradients.read(name)
    }

    /// The optimiser's velocity (MindSpore's `moments.<name>`), zero at the start.
    public func velocity(of name: String) throws(NetworkError) -> [Float] {
        try velocities.read(name)
    }

    /// Restores a velocity. Throws `NetworkError` for an unknown name or a wrong number of values.
    public func setVelocity(_ values: [Float], of name: String) throws(NetworkError) {
        try velocities.write(values, to: name)
    }
}
