import Foundation
import Images
import ShuffleNet
import Support

/// Puts the tables of a classification's parts together: one CSV, in the order of the files, each file once.
///
/// The parts were made at different times on different hosts, from a folder that may have changed meanwhile and by a model
/// that may have been replaced; so each row must be that of its file, and each part that of one model.
struct PredictionMerge: Sendable {
    /// The parts' tables, in order.
    var parts: [String]
    /// The folder that was classified.
    var images: String
    /// Paths under `images` that are no input.
    var excluded: Set<String> = []
    /// The table to write; appears when it is complete.
    var out: String
    /// A page about the table; nil: none.
    var report: String?
    /// How the page's pictures are read.
    var pictures = PictureOptions()

    func execute(in context: RunContext) throws -> RunResult {
        context.emit(.started)
        let listing = try ImageListing(folder: images, excluding: excluded)
        let files = listing.paths
        var meter = ProgressMeter(context: context, total: parts.count)
        let file = try AtomicFile(path: out)
        var (header, model): ([UInt8]?, String?)
        var precisions: Set<Precision> = []
        var rows = 0
        for (number, part) in parts.enumerated() {
            if context.stop.isRaised { throw RunFailure(.preempted, "stopped after \(number) of \(parts.count) parts") }
            guard let data = FileManager.default.contents(atPath: part) else {
                throw RunFailure(
                    .error,
                    "could not read '\(part)'; the results of shards must lie on a storage that all daemons share")
            }
            let note = try ShardNote.read(beside: part)
            guard model == nil || model == note.model else {
                throw RunFailure.badInput(
                    "the model was replaced while the parts were classified: that of '\(part)' is not that of the parts "
                        + "before; submit the job again")
            }
            model = note.model
            precisions.insert(note.precision)
            var records = CSVRecords(Array(data))
            let columns = records.next().map(Array.init)
            guard header == nil || header == columns else {
                throw RunFailure(
                    .error, "the columns of '\(part)' are not those of the parts before; submit the job again")
            }
            if header == nil { try columns?.withUnsafeBytes { try file.write($0) } }
            header = columns
            for record in records {
                guard rows < files.count, record.starts(with: PredictionTable.start(of: files[rows]).utf8) else {
                    throw changed(files.count)
                }
                rows += 1
                try record.withUnsafeBytes { try file.write($0) }
            }
            meter.advance(to: number + 1, message: "part \(number + 1) of \(parts.count)")
        }
        guard rows == files.count else { throw changed(files.count) }
        if precisions.count > 1 {
            context.log(
                "some parts were classified in bf16, others in f32, as their hosts' CPUs have it; give precision to have one"
            )
        }
        try file.commit()
        var outputs = ["predictions": (out as NSString).lastPathComponent]
        if let report {
            outputs["report"] = ClassificationReport(table: out, listing: listing, pictures: pictures)
                .write(to: report, in: context)
        }
        return RunResult(
            figures: ["files": Double(rows), "shards": Double(parts.count)], files: outputs,
            summary: "merged \(rows) rows of \(parts.count) shards")
    }

    private func changed(_ files: Int) -> RunFailure {
        .badInput(
            "folder '\((images as NSString).lastPathComponent)' was changed while it was classified: the shards' tables are "
                + "not of the \(files) files that it holds; submit the job again")
    }
}
