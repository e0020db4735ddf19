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
    /// An HTML page about the table, for people; nil: none. A part has none.
    public var report: String?
    /// Paths under `images` that are no input, for instance `job.yaml`.
    public var excluded: Set<String>
    /// Goes on from the rows that an interrupted run of the same options, model and folder left beside `out`.
    public var resume: Bool
    /// Takes only this part of the files; a part may be empty.
    public var shard: JobSpecification.Shard?

    public init(
        options: ClassificationOptions, model: String, images: String, out: String, excluded: Set<String> = [],
        resume: Bool = true
    ) {
        self.options = options
        self.model = model
        self.images = images
        self.out = out
        self.excluded = excluded
        self.resume = resume
    }

    /// Blocks until the run is over. Throws `RunFailure` for bad options and input, and when asked to stop.
    public func execute(in context: RunContext) throws -> RunResult {
        try reportingAsFailure {
            try refuse(options.mistakes)
            let file = try TrainedModel.file(at: model)
            let model = try TrainedModel(file, path: model)
            let precision = options.precision ?? model.fastestPrecision
            let name = (self.model as NSString).lastPathComponent
            try precision.check(offeredBy: model, named: name)
            for assumption in model.assumptions { context.log(assumption) }
            precision.announce(in: context)
            if precision == .bfloat16, let check = model.bfloat16Check {
                context.log("classifying in bf16: model '\(name)' \(check.sentence)")
            }
            try PredictionFile.checkPlace(out)
            // A table among the pictures is an earlier run's, or will be this one's; a report too.
            var listing = try ImageListing(folder: images, excluding: excluded).leavingOut(RawPath(out))
            if let report {
                try ClassificationReport.checkPlace(report, besides: out)
                listing = listing.leavingOut(RawPath(report))
            }
            guard listing.count > 0 else {
                throw RunFailure.badInput("image folder '\(images)' holds no files; wanted at least one picture")
            }
            if let shard {
                listing = listing.part(shard.range(of: listing.count))
            }
            for path in [out, report].compactMap(\.self) {
                let folder = (path as NSString).deletingLastPathComponent
                if !folder.isEmpty { try OutputFolder.make(folder) }
            }
            context.emit(.started)
            let identity = file.identity
            let counts = try classify(listing, with: model, of: identity, in: precision, context: context)
            var files = ["predictions": (out as NSString).lastPathComponent]
            if shard != nil {
                try ShardNote(model: identity, precision: precision).write(beside: out)
            } else if let report {
                files["report"] = ClassificationReport(
                    table: out, listing: listing, pictures: options.pictures
                ).write(to: report, in: context)
            }
            let figures = Dictionary(uniqueKeysWithValues: counts.map { ($0.key.rawValue, Double($0.value)) })
            let breakdown = counts.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.value) \($0.key.rawValue)" }
            return RunResult(
                figures: figures.merging(["files": Double(listing.count)]) { $1 },
                files: files,
                summary: "classified \(listing.count) files: " + breakdown.joined(separator: ", "))
        }
    }

    private func classify(
        _ listing: ImageListing, with model: TrainedModel, of identity: String, in precision: Precision,
        context: RunContext
    ) throws -> [Prediction.Status: Int] {
        let table = PredictionTable(
            classNames: model.classNames, topK: options.topK, model: (self.model as NSString).lastPathComponent)
        let classes = model.classNames.count
        let size = max(min(options.batch, listing.count), 1)
        try BatchMemory.check(batch: size, ringBatches: ClassificationStream.ringBatches, model.preprocessing)
        let preprocessing = options.pictures.applied(to: model.preprocessing)
        let file = try PredictionFile(
            path: out,
            identity: try self.identity(
                model: identity, table: table, preprocessing: preprocessing, precision: precision),
            table: table, listing: listing, resumes: resume)
        var counts = file.kept
        var done = file.keptRows
        if done > 0 { context.log("going on after \(done) rows of an interrupted run") }
        let stream = ClassificationStream(
            listing: listing, preprocessing: preprocessing, batchSize: size, threads: context.threads,
            decoding: options.pictures.decoding, isolation: context.isolation, firstFile: done)
        // After the stream, which decodes the first pictures meanwhile.
        let session = InferenceSession(
            network: model.network, pixels: model.preprocessing.pixels, maximumBatch: size,
            pool: ThreadPool(threads: context.threads), precision: precision)
        let logits = AlignedBuffer<Float>(count: size * classes)
        var meter = ProgressMeter(context: context, total: listing.count, alreadyDone: done)
        while let batch = try stream.next() {
            if context.stop.isRaised { throw RunFailure(.preempted, "stopped after \(done) of \(listing.count) files") }
            if batch.count > 0 { session.run(images: batch.images, count: batch.count, logits: logits.pointer) }
            if firstNotFinite(logits.pointer, rows: batch.count, classes: classes) != nil {
                throw RunFailure.badInput(
                    "model '\(table.model)' gives no finite numbers: its training diverged; wanted another checkpoint")
            }
            var rows = ""
            for outcome in batch.files {
                let prediction = prediction(outcome, logits: logits, classes: classes, topK: table.topK)
                counts[prediction.status, default: 0] += 1
                rows += table.row(prediction)
            }
            try file.append(rows)
            done += batch.files.count
            meter.advance(to: done, message: "file \(done) of \(listing.count)")
        }
        try file.commit()
        return counts
    }

    /// A hash of everything that decides the rows, but for the pictures themselves.
    private func identity(
        model: String, table: PredictionTable, preprocessing: Preprocessing, precision: Precision
    ) throws -> String {
        var decisive = options
        decisive.precision = precision
        // Only how fast the rows come.
        decisive.batch = 0
        let whole = Runs.identity(of: [
            model, table.header, table.model, try decisive.json, try preprocessing.json,
            URL(fileURLWithPath: images).standardizedFileURL.path,
        ])
        return String(whole.prefix(PredictionFile.identityLength))
    }

    private func prediction(
        _ outcome: FileOutcome, logits: AlignedBuffer<Float>, classes: Int, topK: Int
    ) -> Prediction {
        var prediction = Prediction(
            path: outcome.path, status: .ok, ranking: [], width: outcome.width, height: outcome.height,
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
