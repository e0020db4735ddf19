import KernelSets
import Kernels
public import Support

/// A network ready to classify: batch norm folded into weights and biases, work memory allocated once.
///
/// One `run` at a time. The session copies what it needs from the network; after training, `refresh()` takes the new
/// values over. Results do not depend on the number of threads.
public final class InferenceSession {
    public let network: Network
    /// Side of the square input, at least `NetworkConfiguration.minimumPixels`.
    public let pixels: Int
    public let maximumBatch: Int

    private let pool: ThreadPool
    private let stem: FoldedStem
    private let units: [FoldedUnit]
    private let plan: InferencePlan
    private let memories: [InferenceMemory]
    /// Each worker alone, and all together.
    private let soloists: [InferenceTeam]
    private let ensemble: InferenceTeam
    private let classifier: FoldedClassifier
    /// First units of the three stages and the end.
    private static let stageStarts = [0, 4, 12, 16]

    public init(network: Network, pixels: Int, maximumBatch: Int, pool: ThreadPool) {
        precondition(
            pixels >= NetworkConfiguration.minimumPixels,
            "the network wants images of at least \(NetworkConfiguration.minimumPixels) pixels, not \(pixels)")
        precondition(maximumBatch >= 1, "a session needs a batch of at least one image, not \(maximumBatch)")
        self.network = network
        self.pixels = pixels
        self.maximumBatch = maximumBatch
        self.pool = pool
        let configuration = network.configuration
        let stem = FoldedStem(channels: configuration.stemChannels, pixels: pixels)
        var side = stem.poolWindow.outHeight
        let units = configuration.units.enumerated().map { index, shape in
            let unit = FoldedUnit(shape, height: side, width: side, prefix: "features.\(index).")
            side = shape.outputSide(side)
            return unit
        }
        let plan = InferencePlan(
            areas: Self.stageStarts.dropLast().map { units[$0].outArea }, maximumBatch: maximumBatch)
        let classifier = FoldedClassifier(classes: configuration.classes, features: configuration.featureChannels)
        self.stem = stem
        self.units = units
        self.plan = plan
        let memories = (0..<pool.threads).map { _ in
            InferenceMemory(stem: stem, units: units, classifier: classifier, plan: plan)
        }
        self.memories = memories
        soloists = memories.map { InferenceTeam(pool: nil, scratch: [$0.scratch.pointer]) }
        ensemble = InferenceTeam(pool: pool, scratch: memories.map(\.scratch.pointer))
        self.classifier = classifier
        refresh()
    }

    /// Folds the network's present values again.
    public func refresh() {
        let store = network.store
        stem.fold(store)
        for unit in units { unit.fold(store) }
        classifier.fold(store)
    }

    /// Classifies `count` images.
    ///
    /// - Parameters:
    ///   - images: `[count][3][pixels][pixels]`, contiguous float32.
    ///   - count: 1 ... `maximumBatch`.
    ///   - logits: receives `[count][classes]`.
    public func run(images: UnsafePointer<Float>, count: Int, logits: UnsafeMutablePointer<Float>) {
        precondition(count >= 1 && count <= maximumBatch, "a run takes 1 to \(maximumBatch) images, not \(count)")
        let imageCount = 3 * pixels * pixels
        let tasks = (count + plan.task - 1) / plan.task
        func run(_ task: Int, _ memory: InferenceMemory, _ team: InferenceTeam) {
            let first = task * plan.task
            classify(
                images + first * imageCount, count: min(plan.task, count - first),
                logits: logits + first * classifier.classes, memory, team, observe: nil)
        }
        if tasks >= pool.threads {
            pool.run(tasks) { task, worker in run(task, memories[worker], soloists[worker]) }
        } else {
            for task in 0..<tasks { run(task, memories[0], ensemble) }
        }
    }

    /// What a layer left behind, called with its name, channels, side and rows.
    typealias Observer = (_ name: String, _ channels: Int, _ side: Int, _ rows: Rows) -> Void

    /// One task: a few images through the whole network on one thread.
    private func classify(
        _ images: UnsafePointer<Float>, count: Int, logits: UnsafeMutablePointer<Float>, _ memory: InferenceMemory,
        _ team: InferenceTeam, observe: Observer?
    ) {
        let imageCount = 3 * pixels * pixels
        var third = 0
        while third < count {
            let thirdCount = min(plan.third, count - third)
            var second = 0
            while second < thirdCount {
                let secondCount = min(plan.second, thirdCount - second)
                stem.run(
                    images + (third + second) * imageCount, count: secondCount, raw: memory.raw,
                    output: memory.pooled, team)
                observe?("first_conv", stem.channels, stem.convolutionWindow.outHeight, memory.raw)
                observe?("maxpool", stem.channels, stem.poolWindow.outHeight, memory.pooled)
                start(0, memory.pooled, images: secondCount, at: 0, memory, team, observe)
                let last = runStage(0, images: secondCount, memory, team, observe)
                start(1, last, images: secondCount, at: second, memory, team, observe)
                second += secondCount
            }
            let last = runStage(1, images: thirdCount, memory, team, observe)
            start(2, last, images: thirdCount, at: third, memory, team, observe)
            third += thirdCount
        }
        let last = runStage(2, images: count, memory, team, observe)
        finish(last, count: count, logits: logits, memory, team)
    }

    /// A stage's first unit, for the images that the stage before holds; they are number `at` and following of the
    /// stage's own.
    private func start(
        _ stage: Int, _ input: Rows, images: Int, at: Int, _ memory: InferenceMemory, _ team: InferenceTeam,
        _ observe: Observer?
    ) {
        let index = Self.stageStarts[stage]
        let unit = units[index]
        let output = memory.stages[stage].advanced(by: at * unit.outArea)
        unit.run(
            input, images: images, output: output, reduced: memory.reduced[index], convolved: memory.convolved[index],
            team)
        observe?("features.\(index)", unit.shape.outputs, unit.inputWindow.outHeight, output)
    }

    /// A stage's other units, each in place of its input. Returns where they wrote.
    private func runStage(
        _ stage: Int, images: Int, _ memory: InferenceMemory, _ team: InferenceTeam,
        _ observe: Observer?
    ) -> Rows {
        let map = memory.stages[stage]
        for index in Self.stageStarts[stage] + 1..<Self.stageStarts[stage + 1] {
            let unit = units[index]
            unit.run(
                map, images: images, output: map, reduced: memory.reduced[index], convolved: memory.convolved[index],
                team)
            observe?("features.\(index)", unit.shape.outputs, unit.inputWindow.outHeight, map)
        }
        return map
    }

    private func finish(
        _ input: Rows, count: Int, logits: UnsafeMutablePointer<Float>, _ memory: InferenceMemory, _ team: InferenceTeam
    ) {
        let area = units[units.count - 1].outArea
        let means = memory.means
        for channel in 0..<classifier.features {
            GlobalMean.forward(input[channel, 0], images: count, area: area, out: means[channel, 0], with: kernels)
        }
        classifier.run(means, count: count, logits: logits, scores: memory.scores, team)
    }
}

extension InferenceSession {
    /// A layer's output for one image.
    public struct Activation: Hashable, Sendable {
        /// `first_conv`, `maxpool`, `features.0` … `features.15`.
        public let name: String
        /// `[channels, height, width]`.
        public let shape: [Int]
        public let values: [Float]
    }

    /// Every layer's output for one image `[3][pixels][pixels]`, in order: for tests and for looking inside.
    public func activations(image: UnsafePointer<Float>) -> [Activation] {
        var list: [Activation] = []
        let logits = AlignedBuffer<Float>(count: classifier.classes)
        classify(image, count: 1, logits: logits.pointer, memories[0], soloists[0]) { name, channels, side, rows in
            var values: [Float] = []
            values.reserveCapacity(channels * side * side)
            for channel in 0..<channels {
                values += UnsafeBufferPointer(start: rows[channel, 0], count: side * side)
            }
            list.append(Activation(name: name, shape: [channels, side, side], values: values))
        }
        return list
    }
}
