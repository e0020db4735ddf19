import Kernels
import Support

/// One worker's activations in inference.
final class InferenceMemory {
    let scratch: AlignedBuffer<Float>
    /// The stem's convolution and its pooled map, for the images of a stage-2 chunk.
    let raw: Rows
    let pooled: Rows
    /// Each stage's map, which its units of stride 1 change in place.
    let stages: [Rows]
    let reduced: [Rows]
    let convolved: [Rows]
    /// The pooled features, `[features][images]`, and the classifier's sums, `[classes][images]`.
    let means: Rows
    let scores: Rows
    private let buffers: [AlignedBuffer<Float>]

    init(stem: FoldedStem, units: [FoldedUnit], classifier: FoldedClassifier, plan: InferencePlan) {
        var buffers: [AlignedBuffer<Float>] = []
        func rows(_ channels: Int, _ columns: Int) -> Rows {
            let buffer = AlignedBuffer<Float>(count: Rows.count(channels: channels, columns: columns))
            buffers.append(buffer)
            return Rows(buffer, columns: columns)
        }
        raw = rows(stem.channels, plan.second * stem.convolutionWindow.outArea)
        pooled = rows(stem.channels, plan.second * stem.poolWindow.outArea)
        let images = [plan.second, plan.third, plan.task]
        var stages: [Rows] = []
        var reduced: [Rows] = []
        var convolved: [Rows] = []
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
        scratch = AlignedBuffer(count: max(stem.scratchCount, units.map(\.scratchCount).max() ?? 0))
        means = rows(classifier.features, plan.task)
        scores = rows(classifier.classes, plan.task)
        self.buffers = buffers
    }
}
