import Checkpoints
import Foundation
import Images
import ShuffleNet
import Support

/// Measures a checkpoint on a labelled data set: a further line of `eval_log.txt`, a fresh `eval.json` and `report.html`, a
/// page about it; in bfloat16 also `checked.ckpt`, a copy that tells how far it agrees with float32.
///
/// One that was interrupted goes on at its next batch when it is run again with the same options, model, data and `out`,
/// and ends with the same bytes.
public struct EvaluationRun: Sendable {
    public var options: EvaluationOptions
    /// The checkpoint.
    public var model: String
    /// The data set's folder.
    public var data: String
    /// The output folder; made when missing.
    public var out: String

    public init(options: EvaluationOptions, model: String, data: String, out: String) {
        self.options = options
        self.model = model
        self.data = data
        self.out = out
    }

    /// Blocks until the run is over. Throws `RunFailure` for bad options and input, and when asked to stop.
    public func execute(in context: RunContext) throws -> RunResult {
        try reportingAsFailure {
            try refuse(options.mistakes)
            let start = ContinuousClock.now
            let file = try TrainedModel.file(at: model)
            let model = try TrainedModel(file, path: model)
            for assumption in model.assumptions { context.log(assumption) }
            let measured = try MeasuredRecords(options.part, of: data, for: file, limit: options.records)
            let records = measured.dataset
            try BatchMemory.check(
                batch: min(options.batch, records.count), ringBatches: BatchLoader.ringBatches, model.preprocessing)
            _ = try LabelMapping(from: records, to: model.classNames)
            options.precision.announce(in: context)
            context.log("measuring on \(measured.description)")
            if measured.areFamiliar {
                context.log(
                    "the model was trained on these, or most of them; part validation measures on those held back")
            }
            let page = ReportFile(path: out + "/" + ReportFile.name)
            try page.checkPlace(wanted: "no such name in the output folder, or an earlier report")
            try OutputFolder.make(out)
            context.emit(.started)

            let pass = EvaluationPass(
                model: model, dataset: records, batch: options.batch, labelSmoothing: model.labelSmoothing,
                unreadableLimit: options.unreadableLimit, pictures: options.pictures, isolation: context.isolation,
                pool: ThreadPool(threads: context.threads), precision: options.precision,
                checksBFloat16: options.precision == .bfloat16)
            var meter = ProgressMeter(context: context, total: records.count)
            let bookmark = EvaluationBookmark(folder: out)
            let identity = file.identity
            var report: EvaluationReport
            do {
                report = try pass.run(
                    context: context, identity: try self.identity(model: identity, records), bookmark: bookmark
                ) {
                    done, all in meter.advance(to: done, message: "image \(done) of \(all)")
                }
            } catch let failure as NotFiniteOutputs {
                throw RunFailure.badInput("model '\(self.model)' \(failure); wanted another checkpoint")
            }

            guard report.images > 0 else {
                throw RunFailure.badInput(
                    "none of the \(records.count) images of data set '\(data)' can be read; wanted JPEG, PNG or WebP files"
                )
            }

            let subject = EvaluationReport.Subject(
                checkpoint: self.model, identity: identity, data: data, part: options.part,
                isFamiliar: measured.areFamiliar)
            report.subject = subject
            let line = EvaluationLog.line(
                report, checkpoint: self.model, seconds: (ContinuousClock.now - start) / .seconds(1))
            context.log(line)
            var result = RunResult(
                figures: [
                    "top_1": report.top1, "top_5": report.top5, "loss": report.loss, "images": Double(report.images),
                    "unreadable": Double(report.unreadable),
                ],
                files: ["report": "eval.json", "log": "eval_log.txt"],
                summary: "evaluated \(report.images) images: top-1 \(report.top1), top-5 \(report.top5)"
                    + (measured.areFamiliar ? "; the model was trained on most of them" : ""))
            if let check = report.bfloat16Check { try record(check, of: file, in: &result, context) }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try AtomicFile.write(try encoder.encode(report) + Data("\n".utf8), to: out + "/eval.json")
            result.files["page"] = page.write(besides: "eval.json", in: context) {
                try EvaluationPage.html(
                    of: report, subject: subject, on: measured, reading: options.pictures, in: context)
            }
            // Last, since an evaluation that is repeated for want of space would add a second line.
            try AppendedFile.append(line + "\n", to: out + "/eval_log.txt")
            bookmark.remove()
            return result
        }
    }

    /// Writes a copy of the model that tells how far bfloat16 agrees with float32.
    private func record(
        _ check: BFloat16Check, of file: ModelFile, in result: inout RunResult, _ context: RunContext
    ) throws {
        var checked = file
        checked.card.bfloat16Check = check
        try checked.write(to: out + "/checked.ckpt")
        context.log("'\((model as NSString).lastPathComponent)' \(check.sentence)")
        result.files["checked"] = "checked.ckpt"
        result.figures["bf16_agreement"] = check.agreement
        result.summary += "; \(check.sentence)"
    }

    /// A hash of everything that decides the figures, but for the pictures themselves.
    private func identity(model: String, _ records: any Dataset) throws -> String {
        let data = RecordsIdentity(classNames: records.classNames, training: records, validation: nil)
        return Runs.identity(of: [
            model, try options.json, "\(data.checksum)",
            URL(fileURLWithPath: self.data).standardizedFileURL.path,
        ])
    }
}
