import Kernels
import Support

/// One worker's activations in inference.
final class InferenceMemory<Scalar: ActivationScalar> {
    private let plane: AlignedBuffer<Float>
    private let image: AlignedBuffer<Float>
    private let patches: AlignedBuffer<Scalar>
    /// The stem's convolution and its pooled map, for the images of a stage-2 chunk.
    let raw: Rows<Scalar>
    let pooled: Rows<Scalar>
    /// Each stage's map, which its units of stride 1 change in place.
    let stages: [Rows<Scalar>]
    let reduced: [Rows<Scalar>]
    let convolved: [Rows<Scalar>]
    /// The pooled features, `[features][images]`, and the classifier's sums, `[classes][images]`.
    let means: Rows<Float>
    let scores: Rows<Float>
    private let buffers: [AlignedBuffer<Scalar>]
    private let headBuffers: [AlignedBuffer<Float>]

    var scratch: InferenceScratch<Scalar> {
        InferenceScratch(plane: plane.pointer, image: image.pointer, patches: patches.pointer)
    }

    init(stem: FoldedStem<Scalar>, units: [FoldedUnit<Scalar>], classifier: FoldedClassifier, plan: InferencePlan) {
        var buffers: [AlignedBuffer<Scalar>] = []
        func rows(_ channels: Int, _ columns: Int) -> Rows<Scalar> {
            let buffer = AlignedBuffer<Scalar>(count: Rows<Scalar>.count(channels: channels, columns: columns))
            buffers.append(buffer)
            return Rows(buffer, columns: columns)
        }
        raw = rows(stem.channels, plan.second * stem.convolutionWindow.outArea)
        pooled = rows(stem.channels, plan.second * stem.poolWindow.outArea)
        let images = [plan.second, plan.task, plan.task]
        var stages: [Rows<Scalar>] = []
        var reduced: [Rows<Scalar>] = []
        var convolved: [Rows<Scalar>] = []
        for unit in units {
            let isStageStart = unit.shape.stride == 2
            // A stage's first unit runs at the images of the stage before it, since its input lies there.
            let stage = stages.count - (isStageStart ? 0 : 1)
            let count = images[isStageStart ? max(stage - 1, 0) : stage]
            if isStageStart {
                stages.append(rows(unit.shape.outputs, images[stage] * unit.outArea))
            }
            if isStageStart || units[reduced.count - 1].shape.stride == 2 {
                reduced.append(rows(unit.shape.middle, count * unit.inArea))
                convolved.append(rows(unit.shape.middle, count * unit.outArea))
            } else {
                reduced.append(reduced[reduced.count - 1])
                convolved.append(convolved[convolved.count - 1])
            }
        }
        self.stages = stages
        self.reduced = reduced
        self.convolved = convolved
        plane = AlignedBuffer(count: units.map(\.scratchCount).max() ?? 0)
        image = AlignedBuffer(count: 3 * stem.convolutionWindow.inArea)
        patches = AlignedBuffer(count: stem.patchCount)
        let head = [classifier.features, classifier.classes].map {
            AlignedBuffer<Float>(count: Rows<Float>.count(channels: $0, columns: plan.task))
        }
        means = Rows(head[0], columns: plan.task)
        scores = Rows(head[1], columns: plan.task)
        headBuffers = head
        self.buffers = buffers
    }
}
