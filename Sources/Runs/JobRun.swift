import Foundation
import Images

/// A job's arguments checked and carried out: the one mapping from a specification to a run.
public enum JobRun {
    /// Runs the job to its end. Every file goes under `specification.work`.
    ///
    /// Throws `RunFailure`; the caller reports it as the last event.
    public static func execute(_ specification: JobSpecification, context: RunContext) throws(RunFailure) -> RunResult {
        try reportingAsFailure {
            var reader = try ArgumentReader(specification.args, kind: specification.kind)
            switch specification.kind {
            case .train:
                return try training(specification, &reader, context).execute(in: context)
            case .evaluate:
                return try evaluation(specification, &reader, context).execute(in: context)
            case .classify:
                if let parts = specification.parts { return try merge(parts, specification, &reader, context) }
                var run = try classification(specification, &reader, context)
                run.shard = specification.shard
                return try run.execute(in: context)
            }
        }
    }

    private static func training(
        _ specification: JobSpecification, _ reader: inout ArgumentReader, _ context: RunContext
    ) throws -> TrainingRun {
        var options = TrainingOptions()
        options.read(from: &reader)
        let data = dataFolder(specification, &reader)
        let from = reader.name(.from)
        let published = reader.name(.published)
        try reader.finish()

        Takeover.training(specification, context: context)
        return TrainingRun(
            options: options, data: try existing(data, specification),
            out: specification.work, from: try from.map { try model($0, specification) },
            resume: .ifPossible,
            incumbent: published.map { "\(specification.roots.models)/\($0).ckpt" })
    }

    private static func evaluation(
        _ specification: JobSpecification, _ reader: inout ArgumentReader, _ context: RunContext
    ) throws -> EvaluationRun {
        var options = EvaluationOptions()
        options.read(from: &reader)
        let data = dataFolder(specification, &reader)
        let name = reader.requiredName(.model, for: "a model to evaluate")
        try reader.finish()
        Takeover.evaluation(specification, context: context)
        return EvaluationRun(
            options: options, model: try model(name, specification), data: try existing(data, specification),
            out: specification.work)
    }

    private static func classification(
        _ specification: JobSpecification, _ reader: inout ArgumentReader, _ context: RunContext
    ) throws -> ClassificationRun {
        var options = ClassificationOptions()
        options.read(from: &reader)
        let data = dataFolder(specification, &reader)
        let name = reader.requiredName(.model, for: "a model to classify with")
        try reader.finish()
        let out = specification.work + "/predictions.csv"
        Takeover.rows(specification, out: out, context: context)
        var run = ClassificationRun(
            options: options, model: try model(name, specification), images: try existing(data, specification),
            out: out, excluded: Set(specification.excluded))
        run.report = report(specification)
        return run
    }

    private static func merge(
        _ parts: [String], _ specification: JobSpecification, _ reader: inout ArgumentReader, _ context: RunContext
    ) throws -> RunResult {
        let images = dataFolder(specification, &reader)
        var pictures = PictureOptions()
        pictures.read(from: &reader)
        return try PredictionMerge(
            parts: parts, images: try existing(images, specification), excluded: Set(specification.excluded),
            out: specification.work + "/predictions.csv", report: report(specification), pictures: pictures
        ).execute(in: context)
    }

    private static func report(_ specification: JobSpecification) -> String {
        specification.work + "/" + ReportFile.name
    }

    /// The folder the job works on: what was dropped, or the folder under the data root that its arguments name.
    private static func dataFolder(_ specification: JobSpecification, _ reader: inout ArgumentReader) -> String {
        if let input = specification.input { return input }
        let name = reader.requiredName(.data(of: specification.kind), for: "a folder under the datasets root")
        return specification.roots.datasets + "/" + name
    }

    private static func existing(_ folder: String, _ specification: JobSpecification) throws(RunFailure) -> String {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue { return folder }
        if folder == specification.input {
            throw .badInput("the dropped folder '\(folder)' is not there any more; drop it again")
        }
        throw .badInput(
            "there is no folder '\((folder as NSString).lastPathComponent)' in '\(specification.roots.datasets)'"
                + known(in: specification.roots.datasets, suffix: ""))
    }

    private static func model(_ name: String, _ specification: JobSpecification) throws(RunFailure) -> String {
        let path = "\(specification.roots.models)/\(name).ckpt"
        if FileManager.default.fileExists(atPath: path) { return path }
        throw .badInput(
            "there is no model '\(name)' in '\(specification.roots.models)'"
                + known(in: specification.roots.models, suffix: ".ckpt"))
    }

    private static func known(in folder: String, suffix: String) -> String {
        guard let entries = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            return "; the folder can't be listed"
        }
        let names = entries.filter { $0.hasSuffix(suffix) && !$0.hasPrefix(".") }
            .map { SafeText.escaped(String($0.dropLast(suffix.count))) }.sorted()
        if names.isEmpty { return "; the folder is empty" }
        return "; there are \(names.prefix(20).joined(separator: ", "))" + (names.count > 20 ? ", …" : "")
    }
}
