import Kernels
import Support

/// A network ready to classify, whatever its activations are stored as.
protocol ClassifyingNetwork: AnyObject {
    /// Folds the present values again.
    func fold(_ parameters: ParameterStore)
    /// Classifies the first `count` images into `logits` `[count][classes]`.
    func run(images: any InputImages, count: Int, logits: UnsafeMutablePointer<Float>)
    /// Every layer's output for one image.
    func activations(image: any InputImages) -> [InferenceSession.Activation]
}

/// Batch norm folded into weights and biases, activations stored as `Scalar`, work memory allocated once.
final class FoldedNetwork<Scalar: ActivationScalar>: ClassifyingNetwork {
    private let pool: ThreadPool
    private let stem: FoldedStem<Scalar>
    private let units: [FoldedUnit<Scalar>]
    private let plan: InferencePlan
    private let memories: [InferenceMemory<Scalar>]
    /// Each worker alone, and all together.
    private let soloists: [InferenceTeam<Scalar>]
    private let ensemble: InferenceTeam<Scalar>
    private let classifier: FoldedClassifier
    private let kernels: any ActivationKernels<Scalar>
    /// First units of the three stages and the end.
    private let stageStarts: [Int]

    init(
        _ configuration: NetworkConfiguration, pixels: Int, maximumBatch: Int, kernels set: any KernelSet,
        pool: ThreadPool
    ) {
        self.pool = pool
        let kernels = Scalar.kernels(of: set)
        self.kernels = kernels
        let geometry = NetworkGeometry(configuration, pixels: pixels)
        let stem = FoldedStem<Scalar>(channels: configuration.stemChannels, geometry.stem, kernels: kernels)
        let units = geometry.units.map { FoldedUnit<Scalar>($0, kernels: kernels) }
        let stageStarts = geometry.stageStarts + [units.count]
        self.stageStarts = stageStarts
        let plan = InferencePlan(
            secondArea: units[stageStarts[0]].outArea, thirdArea: units[stageStarts[1]].outArea,
            maximumBatch: maximumBatch)
        let classifier = FoldedClassifier(
            classes: configuration.classes, features: configuration.featureChannels, kernels: set.float32)
        self.stem = stem
        self.units = units
        self.plan = plan
        let memories = (0..<pool.threads).map { _ in
            InferenceMemory(stem: stem, units: units, classifier: classifier, plan: plan)
        }
        self.memories = memories
        soloists = memories.map { InferenceTeam(pool: nil, scratch: [$0.scratch]) }
        ensemble = InferenceTeam(pool: pool, scratch: memories.map(\.scratch))
        self.classifier = classifier
    }

    func fold(_ parameters: ParameterStore) {
        var square = stem.fold(parameters)
        for unit in units { square = unit.fold(parameters, inputSquare: square) }
        classifier.fold(parameters)
    }

    func run(images: any InputImages, count: Int, logits: UnsafeMutablePointer<Float>) {
        let cut = plan.cut(count, threads: pool.threads)
        func run(_ task: Int, _ memory: InferenceMemory<Scalar>, _ team: InferenceTeam<Scalar>) {
            let range = cut[task]
            classify(
                images, range, logits: logits + range.lowerBound * classifier.classes, memory, team, observe: nil)
        }
        if count >= pool.threads {
            pool.run(cut.tasks) { task, worker in run(task, memories[worker], soloists[worker]) }
        } else {
            for task in 0..<cut.tasks { run(task, memories[0], ensemble) }
        }
    }

    /// What a layer left behind, called with its name, channels, side and rows.
    typealias Observer = (_ name: String, _ channels: Int, _ side: Int, _ rows: Rows<Scalar>) -> Void

    /// One task: a few images through the whole network.
    private func classify(
        _ images: any InputImages, _ task: Range<Int>, logits: UnsafeMutablePointer<Float>,
        _ memory: InferenceMemory<Scalar>, _ team: InferenceTeam<Scalar>, observe: Observer?
    ) {
        let count = task.count
        var second = 0
        while second < count {
            let secondCount = min(plan.second, count - second)
            stem.run(
                images, from: task.lowerBound + second, count: secondCount, raw: memory.raw, output: memory.pooled, team
            )
            observe?("first_conv", stem.channels, stem.convolutionWindow.outHeight, memory.raw)
            observe?("maxpool", stem.channels, stem.poolWindow.outHeight, memory.pooled)
            start(0, memory.pooled, images: secondCount, at: 0, memory, team, observe)
            let output = runStage(0, images: secondCount, memory, team, observe)
            start(1, output, images: secondCount, at: second, memory, team, observe)
            second += secondCount
        }
        let third = runStage(1, images: count, memory, team, observe)
        start(2, third, images: count, at: 0, memory, team, observe)
        let last = runStage(2, images: count, memory, team, observe)
        finish(last, count: count, logits: logits, memory, team)
    }

    /// A stage's first unit, for the images that the stage before holds; they are number `at` and following of the
    /// stage's own.
    private func start(
        _ stage: Int, _ input: Rows<Scalar>, images: Int, at: Int, _ memory: InferenceMemory<Scalar>,
        _ team: InferenceTeam<Scalar>,
        _ observe: Observer?
    ) {
        let index = stageStarts[stage]
        let unit = units[index]
        let output = memory.stages[stage].advanced(by: at * unit.outArea)
        unit.run(
            input, images: images, output: output, reduced: memory.reduced[index], convolved: memory.convolved[index],
            team)
        observe?("features.\(index)", unit.shape.outputs, unit.inputWindow.outHeight, output)
    }

    /// A stage's other units, each in place of its input. Returns where they wrote.
    private func runStage(
        _ stage: Int, images: Int, _ memory: InferenceMemory<Scalar>, _ team: InferenceTeam<Scalar>,
        _ observe: Observer?
    ) -> Rows<Scalar> {
        let map = memory.stages[stage]
        for index in stageStarts[stage] + 1..<stageStarts[stage + 1] {
            let unit = units[index]
            unit.run(
                map, images: images, output: map, reduced: memory.reduced[index], convolved: memory.convolved[index],
                team)
            observe?("features.\(index)", unit.shape.outputs, unit.inputWindow.outHeight, map)
        }
        return map
    }

    private func finish(
        _ input: Rows<Scalar>, count: Int, logits: UnsafeMutablePointer<Float>, _ memory: InferenceMemory<Scalar>,
        _ team: InferenceTeam<Scalar>
    ) {
        let area = units[units.count - 1].outArea
        let means = memory.means
        team.run(classifier.features) { channel, _ in
            GlobalMean.forward(input[channel, 0], images: count, area: area, out: means[channel, 0], with: kernels)
        }
        classifier.run(means, count: count, logits: logits, scores: memory.scores, team)
    }

    func activations(image: any InputImages) -> [InferenceSession.Activation] {
        var list: [InferenceSession.Activation] = []
        let logits = AlignedBuffer<Float>(count: classifier.classes)
        withExtendedLifetime(logits) {
            classify(image, 0..<1, logits: logits.pointer, memories[0], soloists[0]) {
                name, channels, side, rows in
                var values: [Float] = []
                values.reserveCapacity(channels * side * side)
                for channel in 0..<channels {
                    values += UnsafeBufferPointer(start: rows[channel, 0], count: side * side).lazy.map(\.float)
                }
                list.append(.init(name: name, shape: [channels, side, side], values: values))
            }
        }
        return list
    }
}
