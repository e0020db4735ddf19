import Images
import ShuffleNet
import Support

/// One pass of a model over a labelled data set. Used again and again while a network is trained.
final class EvaluationPass {
    private let model: TrainedModel
    private let dataset: any Dataset
    private let loader: BatchLoader
    private let primary: Reader
    /// Computes in the other precision, for comparison.
    private let secondary: Reader?
    private let labelSmoothing: Double

    /// The figures are of `precision`. With `checksBFloat16` the network runs in both precisions, and the report tells
    /// how far they agree.
    ///
    /// `unreadableLimit` is a share of `wholeCount` records where the data set is a part of so many.
    ///
    /// The data set's classes must be among the model's (`LabelMapping` sees to that); its labels are then the
    /// model's.
    init(
        model: TrainedModel, dataset: any Dataset, batch: Int, labelSmoothing: Double, unreadableLimit: Double,
        wholeCount: Int? = nil, pictures: PictureOptions, isolation: DecodeIsolation?, pool: ThreadPool,
        precision: Precision = .float32, checksBFloat16: Bool = false
    ) {
        self.model = model
        self.dataset = dataset
        self.labelSmoothing = labelSmoothing
        let size = min(batch, max(dataset.count, 1))
        loader = BatchLoader(
            dataset: dataset, preprocessing: pictures.applied(to: model.preprocessing),
            options: .init(
                batchSize: size, shuffles: false, threads: pool.threads, unreadableLimit: unreadableLimit,
                wholeCount: wholeCount,
                decoding: pictures.decoding, isolation: isolation))
        func reader(_ precision: Precision) -> Reader {
            Reader(model: model, batch: size, pool: pool, precision: precision)
        }
        primary = reader(precision)
        secondary = checksBFloat16 ? reader(precision == .float32 ? .bfloat16 : .float32) : nil
    }

    /// Measures the network's present weights. `progress` is told the images done and all. Throws `NotFiniteOutputs` among
    /// others.
    ///
    /// - Parameters:
    ///   - identity: of what is measured; a pass that keeps no bookmark needs none.
    ///   - bookmark: where an interrupted pass went on from, and where this one leaves off.
    func run(
        context: RunContext, identity: String = "", bookmark: EvaluationBookmark? = nil,
        progress: (_ done: Int, _ all: Int) -> Void
    ) throws -> EvaluationReport {
        let classes = model.network.configuration.classes
        let mapping = try LabelMapping(from: dataset, to: model.classNames)
        var state =
            bookmark?.take(identity: identity)
            ?? EvaluationProgress(
                identity: identity,
                tally: EvaluationTally(
                    classNames: model.classNames, precision: primary.session.precision,
                    checksBFloat16: secondary != nil))
        if state.nextBatch > 0 { context.log("going on after \(state.done) images of an interrupted run") }
        primary.session.refresh()
        secondary?.session.refresh()
        loader.remember(state.unreadable)
        loader.begin(epoch: 0, batch: state.nextBatch)
        while let batch = try loader.next() {
            if context.stop.isRaised {
                try bookmark?.keep(state, last: true)
                throw RunFailure(.preempted, "stopped after \(state.done) of \(dataset.count) images")
            }
            for image in batch.unreadable { context.log("skipped '\(SafeText.escaped(image.name))': \(image.error)") }
            primary.run(batch)
            secondary?.run(batch)
            if let row = firstNotFinite(primary.logits.pointer, rows: batch.count, classes: classes) {
                throw NotFiniteOutputs(record: dataset.recordName(at: batch.indices[row]))
            }
            let labels = batch.labels.map { mapping[$0] }
            let score = SmoothedCrossEntropy.score(
                logits: primary.logits.pointer, labels: labels, count: batch.count, classes: classes,
                labelSmoothing: Float(labelSmoothing))
            state.tally.add(lossSum: score.lossSum)
            for (row, label) in labels.enumerated() {
                let record = batch.indices[row]
                state.tally.add(
                    record: record, name: dataset.recordName(at: record), logits: primary.row(row), label: Int(label),
                    other: secondary?.row(row))
            }
            state.done += batch.count
            state.nextBatch = batch.number + 1
            state.unreadable = loader.unreadable.all
            try bookmark?.keep(state, last: false)
            progress(state.done, dataset.count)
        }
        return state.tally.report(unreadable: loader.unreadable.count)
    }

    /// The network in one precision, and where its logits go: `[batch][classes]`.
    private struct Reader {
        let session: InferenceSession
        let logits: AlignedBuffer<Float>
        let classes: Int

        init(model: TrainedModel, batch: Int, pool: ThreadPool, precision: Precision) {
            session = InferenceSession(
                network: model.network, pixels: model.preprocessing.pixels, maximumBatch: batch, pool: pool,
                precision: precision)
            classes = model.network.configuration.classes
            logits = AlignedBuffer(count: batch * classes)
        }

        func run(_ batch: Batch) {
            session.run(images: batch.images, count: batch.count, logits: logits.pointer)
        }

        func row(_ row: Int) -> UnsafeBufferPointer<Float> {
            UnsafeBufferPointer(start: logits.pointer + row * classes, count: classes)
        }
    }
}

/// What a network whose training diverged comes to: its outputs for a picture are no numbers.
struct NotFiniteOutputs: Error, CustomStringConvertible {
    let record: String

    var description: String { "gives no finite numbers for '\(SafeText.escaped(record))': its training diverged" }
}

/// A data set's class numbers as a model counts them: by name, since another folder may hold only some of the classes.
struct LabelMapping {
    private let targets: [Int32]

    init(from dataset: any Dataset, to classNames: [String]) throws(RunFailure) {
        var targets: [Int32] = []
        var unknown: [String] = []
        for name in dataset.classNames {
            // By bytes, as folders are: Swift's strings take composed and decomposed letters for the same.
            if let index = classNames.firstIndex(where: { $0.utf8.elementsEqual(name.utf8) }) {
                targets.append(Int32(index))
            } else {
                unknown.append(name)
            }
        }
        guard unknown.isEmpty else {
            throw .badInput(
                "data set '\(dataset.name)' has classes that the model does not know: "
                    + "\(unknown.map(SafeText.escaped).joined(separator: ", ")); it knows "
                    + classNames.map(SafeText.escaped).joined(separator: ", "))
        }
        self.targets = targets
    }

    subscript(label: Int32) -> Int32 { targets[Int(label)] }
}
