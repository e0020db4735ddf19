import KernelSets
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
    public var optimizer: MomentumSGD
    public let labelSmoothing: Float

    private let gradients: ParameterStore
    private let velocities: ParameterStore
    private let stem: TrainedStem
    private let units: [TrainedUnit]
    private let head: TrainedHead
    private let workspace: TrainingWorkspace
    /// Gradients at the stem's output and at each stage's output; within a stage they are passed on in place.
    private let stageGradients: [Rows]
    private let stageMemory: [AlignedBuffer<Float>]

    public init(
        network: Network, pixels: Int, batch: Int, pool: ThreadPool, optimizer: MomentumSGD = MomentumSGD(),
        labelSmoothing: Float = 0.1
    ) {
        precondition(
            pixels >= NetworkConfiguration.minimumPixels,
            "the network wants images of at least \(NetworkConfiguration.minimumPixels) pixels, not \(pixels)")
        precondition(batch >= 1, "a batch needs at least one image, not \(batch)")
        MatrixProduct.useOneThread()
        self.network = network
        self.pixels = pixels
        self.batch = batch
        self.optimizer = optimizer
        self.labelSmoothing = labelSmoothing
        let store = network.store
        let gradients = ParameterStore(store.layout)
        self.gradients = gradients
        velocities = ParameterStore(store.layout)

        let configuration = network.configuration
        let stem = TrainedStem(
            channels: configuration.stemChannels, pixels: pixels, batch: batch, parameters: store,
            gradients: gradients)
        var needs = TrainingWorkspace.Needs()
        stem.declare(&needs)
        var side = stem.poolWindow.outHeight
        var memory: [AlignedBuffer<Float>] = []
        var rows: [Rows] = []
        func addStage(channels: Int) {
            let columns = batch * side * side
            let buffer = AlignedBuffer<Float>(count: Rows.count(channels: channels, columns: columns))
            memory.append(buffer)
            rows.append(Rows(buffer, columns: columns))
        }
        addStage(channels: configuration.stemChannels)
        units = configuration.units.enumerated().map { index, shape in
            let unit = TrainedUnit(
                shape, height: side, width: side, batch: batch, prefix: "features.\(index).", parameters: store,
                gradients: gradients)
            unit.declare(&needs)
            side = shape.outputSide(side)
            if shape.stride == 2 { addStage(channels: shape.outputs) }
            return unit
        }
        self.stem = stem
        stageMemory = memory
        stageGradients = rows
        head = TrainedHead(
            channels: configuration.featureChannels, classes: configuration.classes, area: side * side, batch: batch,
            parameters: store, gradients: gradients)
        workspace = TrainingWorkspace(needs, pool: pool)
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
        let result = differentiate(images: images, labels: labels, count: count)
        update(learningRate)
        return result
    }

    /// A step without the update: running statistics move, gradients are set, parameters stay.
    func differentiate(
        images: UnsafePointer<Float>, labels: UnsafePointer<Int32>, count: Int
    ) -> StepResult {
        precondition(count >= 1 && count <= batch, "a step takes 1 to \(batch) images, not \(count)")
        stem.forward(images, count: count, workspace)
        var input = stem.output
        var isReduced = false
        for (index, unit) in units.enumerated() {
            isReduced = unit.forward(
                input, images: count, isReduced: isReduced, next: index + 1 < units.count ? units[index + 1] : nil,
                workspace)
            input = unit.output
        }
        var stage = stageGradients.count - 1
        let result = head.run(
            input, labels: labels, count: count, labelSmoothing: labelSmoothing, gradient: stageGradients[stage],
            workspace)
        var isCorrelated = false
        for index in units.indices.reversed() {
            let unit = units[index]
            let gradient = stageGradients[stage]
            if unit.shape.stride == 2 { stage -= 1 }
            let previous = index == 0 ? nil : units[index - 1]
            isCorrelated = unit.backward(
                previous?.output ?? stem.output, gradient: gradient, inputGradient: stageGradients[stage],
                images: count, isCorrelated: isCorrelated, previous: previous, workspace)
        }
        stem.backward(images, gradient: stageGradients[0], count: count, workspace)
        return result
    }

    private func update(_ learningRate: Float) {
        let slots = network.store.layout.slots
        let weights = network.store.values.pointer
        workspace.pool.run(slots.count) { index, _ in
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
