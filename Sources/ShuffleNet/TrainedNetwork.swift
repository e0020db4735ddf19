import Kernels
import Support

/// A network that learns, whatever its activations are stored as.
protocol DifferentiableNetwork: AnyObject {
    /// Forward and backward pass: running statistics move, gradients (times the loss's scale) are set, parameters
    /// stay.
    func differentiate(
        images: any InputImages, labels: UnsafePointer<Int32>, count: Int, loss: LossOptions
    ) -> StepResult
}

/// The layers in training with activations and their gradients stored as `Scalar`, all memory allocated at the start.
final class TrainedNetwork<Scalar: ActivationScalar>: DifferentiableNetwork {
    private let stem: TrainedStem<Scalar>
    private let units: [TrainedUnit<Scalar>]
    private let head: TrainedHead<Scalar>
    private let workspace: TrainingWorkspace<Scalar>
    /// Gradients at the stem's output and at each stage's output; within a stage they are passed on in place.
    private let stageGradients: [Rows<Scalar>]
    private let stageMemory: [AlignedBuffer<Scalar>]

    init(
        _ configuration: NetworkConfiguration, pixels: Int, batch: Int, parameters: ParameterStore,
        gradients: ParameterStore, kernels: any ActivationKernels<Scalar>, pool: ThreadPool
    ) {
        let geometry = NetworkGeometry(configuration, pixels: pixels)
        let stem = TrainedStem<Scalar>(
            channels: configuration.stemChannels, geometry.stem, batch: batch, parameters: parameters,
            gradients: gradients, kernels: kernels)
        var needs = TrainingNeeds()
        stem.declare(&needs)
        var memory: [AlignedBuffer<Scalar>] = []
        var rows: [Rows<Scalar>] = []
        func addStage(channels: Int, area: Int) {
            let columns = batch * area
            let buffer = AlignedBuffer<Scalar>(count: Rows<Scalar>.count(channels: channels, columns: columns))
            memory.append(buffer)
            rows.append(Rows(buffer, columns: columns))
        }
        addStage(channels: configuration.stemChannels, area: geometry.stem.pool.outArea)
        units = geometry.units.map { placed in
            let unit = TrainedUnit<Scalar>(
                placed, batch: batch, parameters: parameters, gradients: gradients, kernels: kernels)
            unit.declare(&needs)
            if placed.shape.stride == 2 { addStage(channels: placed.shape.outputs, area: placed.window.outArea) }
            return unit
        }
        self.stem = stem
        stageMemory = memory
        stageGradients = rows
        head = TrainedHead(
            channels: configuration.featureChannels, classes: configuration.classes, area: geometry.lastArea,
            batch: batch, parameters: parameters, gradients: gradients, kernels: kernels)
        workspace = TrainingWorkspace(needs, pool: pool)
    }

    func differentiate(
        images: any InputImages, labels: UnsafePointer<Int32>, count: Int, loss: LossOptions
    ) -> StepResult {
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
            input, labels: labels, count: count, loss: loss, gradient: stageGradients[stage], workspace)
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
}
