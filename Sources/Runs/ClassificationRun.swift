import Foundation
import Images
import ShuffleNet
import Support

/// Classifies every file of a folder: one CSV row for each, in sorted order, whatever became of it.
public struct ClassificationRun: Sendable {
    public var options: ClassificationOptions
    /// The checkpoint.
    public var model: String
    /// The folder of images, searched with all its sub-folders.
    public var images: String
    /// The CSV file; appears when it is complete.
    public var out: String
    /// Paths under `images` that are no input, for instance `job.yaml`.
    public var excluded: Set<String>
    /// Takes only this part of the files; a part may be empty.
    public var shard: JobSpecification.Shard?

    public init(
        options: ClassificationOptions, model: String, images: String, out: String, excluded: Set<String> = []
    ) {
        self.options = options
        self.model = model
        self.images = images
        self.out = out
        self.excluded = excluded
    }

    /// Blocks until the run is over. Throws `RunFailure` for bad options and input, and when asked to stop.
    public func execute(in context: RunContext) throws -> RunResult {
        try reportingAsFailure {
            try refuse(options.mistakes)
            let model = try TrainedModel(path: model)
            for assumption in model.assumptions { context.log(assumption) }
            var listing = try ImageListing(folder: images, excluding: excluded)
            guard listing.count > 0 else {
                throw RunFailure.badInput("image folder '\(images)' holds no files; wanted at least one picture")
            }
            if let shard {
                let part = Array(listing.paths[shard.range(of: listing.count)])
                listing = ImageListing(folder: listing.folder, paths: part)
            }
            let folder = (out as NSString).deletingLastPathComponent
            if !folder.isEmpty {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            }
            context.emit(.started)
            let counts = try classify(listing, with: model, context: context)
            let figures = Dictionary(uniqueKeysWithValues: counts.map { ($0.key.rawValue, Double($0.value)) })
            let breakdown = counts.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.value) \($0.key.rawValue)" }
            return RunResult(
                figures: figures.merging(["files": Double(listing.count)]) { $1 },
                files: ["predictions": (out as NSString).lastPathComponent],
                summary: "classified \(listing.count) files: " + breakdown.joined(separator: ", "))
        }
    }

    private func classify(
        _ listing: ImageListing, with model: TrainedModel, context: RunContext
    ) throws -> [Prediction.Status: Int] {
        let table = PredictionTable(
            classNames: model.classNames, topK: options.topK, model: (self.model as NSString).lastPathComponent)
        let classes = model.classNames.count
        let size = max(min(options.batch, listing.count), 1)
        let pool = ThreadPool(threads: context.threads)
        let session = InferenceSession(
            network: model.network, pixels: model.preprocessing.pixels, maximumBatch: size, pool: pool)
        let logits = AlignedBuffer<Float>(count: size * classes)
        let stream = ClassificationStream(
            listing: listing, preprocessing: model.preprocessing, batchSize: size, threads: context.threads)
        let file = try AtomicFile(path: out)
        try file.write(table.header)

        var meter = ProgressMeter(context: context, total: listing.count)
        var counts: [Prediction.Status: Int] = [:]
        var done = 0
        while let batch = stream.next() {
            if context.stop.isRaised { throw RunFailure(.preempted, "stopped after \(done) of \(listing.count) files") }
            if batch.count > 0 { session.run(images: batch.images, count: batch.count, logits: logits.pointer) }
            for outcome in batch.files {
                let prediction = prediction(outcome, logits: logits, classes: classes, topK: table.topK)
                counts[prediction.status, default: 0] += 1
                try file.write(table.row(prediction))
            }
            done += batch.files.count
            meter.advance(to: done, message: "file \(done) of \(listing.count)")
        }
        try file.commit()
        return counts
    }

    private func prediction(
        _ outcome: FileOutcome, logits: AlignedBuffer<Float>, classes: Int, topK: Int
    ) -> Prediction {
        var prediction = Prediction(
            path: outcome.path.description, status: .ok, ranking: [], width: outcome.width, height: outcome.height,
            sha256: outcome.sha256?.description, error: outcome.error?.sentence)
        if let error = outcome.error { prediction.status = Prediction.Status(error.kind) }
        guard let row = outcome.row else { return prediction }
        let values = UnsafeBufferPointer(start: logits.pointer + row * classes, count: classes)
        let probabilities = softmax(values)
        // Two at the least, since the margin is the lead over the second.
        prediction.ranking = topIndices(of: values, max(topK, 2)).map { ($0, probabilities[$0]) }
        if let best = prediction.ranking.first, best.probability < options.abstainBelow { prediction.status = .abstain }
        return prediction
    }
}

extension Prediction.Status {
    init(_ kind: ImageError.Kind) {
        switch kind {
        case .unreadable: self = .unreadable
        case .unsupported: self = .unsupported
        case .tooLarge: self = .tooLarge
        case .missing: self = .missing
        }
    }
}
