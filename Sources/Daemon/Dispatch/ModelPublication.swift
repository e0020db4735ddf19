import Foundation
import Runs
import Support

/// Puts a trained model under its name in the models folder (`publish_as` of a train job).
///
/// Done after the commit that completes the job, from the published output, and repeatable: a note under the results'
/// work folder is written before the commit and removed after the copy, so that a crash in between, or a folder that can't
/// be written for the moment, is made good later.
struct ModelPublication: Codable, Hashable {
    var job: Int64
    var token: Int64
    var model: String
    /// The checkpoint in the job's output.
    var file: String
    /// `ModelDigest` of the model that it may replace; nil: none.
    var replaces: String?

    /// The publication a train job asks for and its run found right (`publish` among the result's files: a model that
    /// is measurably worse than the one in service is kept as a result only), or nil.
    init?(job: Int64, token: Int64, arguments: JSONValue, result: RunResult) {
        guard let file = result.files["publish"], !file.contains("/"), !file.hasPrefix(".") else { return nil }
        guard case .object(let keys) = arguments, case .string(let model)? = keys["publish_as"] else { return nil }
        // The run has judged the name already; this is the last door before a path is made of it.
        guard !model.isEmpty, !model.contains("/"), !model.hasPrefix("."), !model.contains("\0") else { return nil }
        self.job = job
        self.token = token
        self.model = model
        self.file = file
        replaces = result.replaces
    }

    func notePath(in workRoot: String) -> String { "\(workRoot)/\(job).\(token).publish" }

    func note(in workRoot: String) throws {
        try AtomicFile.write(try JSONEncoder().encode(self), to: notePath(in: workRoot))
    }

    static func notes(in workRoot: String) -> [ModelPublication] {
        FileTree.names(in: workRoot).filter { $0.hasSuffix(".publish") }.compactMap { name in
            FileManager.default.contents(atPath: "\(workRoot)/\(name)")
                .flatMap { try? JSONDecoder().decode(ModelPublication.self, from: $0) }
        }
    }

    enum Outcome: Equatable {
        case published(String)
        /// The model that the run compared its own with is no longer the one in service: another job's took its place, or a
        /// person's. It stays.
        case overtaken
    }

    /// Copies the checkpoint from `output` to `<models>/<model>.ckpt`.
    func carryOut(output: String, models: String) throws -> Outcome {
        let source = "\(output)/\(file)"
        guard FileTree.exists(source) else {
            throw RunFailure(.error, "job \(job) was to publish model '\(model)', but there is no file '\(source)'")
        }
        try FileTree.make(models)
        let destination = "\(models)/\(model).ckpt"
        let copy = try AtomicFile(copyOf: source, path: destination)
        // As late as can be, for a person may put a model there at any time.
        if let present = try ModelDigest.of(destination), present != replaces {
            // The very file, where a crash came after the copy.
            return try present == ModelDigest.of(source) ? .published(destination) : .overtaken
        }
        try copy.commit()
        return .published(destination)
    }

    /// What became of it, for the job's row.
    func remark(_ outcome: Outcome) -> String {
        switch outcome {
        case .published: "model '\(model)' is published"
        case .overtaken: "model '\(model)' is not published: another one was put there since the two were compared"
        }
    }
}
