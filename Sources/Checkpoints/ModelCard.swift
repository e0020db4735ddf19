import Foundation

/// What a model file says about its network beyond the weights.
///
/// Each part is a text entry of its own, so that Python sees `load_checkpoint(…)["shufflenetd.classes"]` as a string of
/// JSON; MindSpore's `load_param_into_net` leaves texts alone. A file from elsewhere has none of them.
public struct ModelCard: Sendable, Equatable {
    /// The names of the classes in the order of the logits; nil when the file does not say.
    public var classNames: [String]?
    /// How pictures become inputs, as JSON that module Images reads and writes.
    public var preprocessing: String?
    /// The settings the network was trained with, as JSON for people and for `--from`.
    public var training: String?
    /// Where a run stood when it wrote the file, as JSON that module Runs reads to resume.
    public var runState: String?

    public init(
        classNames: [String]? = nil, preprocessing: String? = nil, training: String? = nil, runState: String? = nil
    ) {
        self.classNames = classNames
        self.preprocessing = preprocessing
        self.training = training
        self.runState = runState
    }

    /// What every name of a text entry of ours begins with.
    public static let prefix = "shufflenetd."

    enum Key: String, CaseIterable {
        case classes = "shufflenetd.classes"
        case preprocessing = "shufflenetd.preprocessing"
        case training = "shufflenetd.training"
        case runState = "shufflenetd.run_state"
        /// `0.5x` …; for readers without the network at hand, the weights decide.
        case modelSize = "shufflenetd.model_size"
        case groups = "shufflenetd.groups"
        /// The optimiser whose state follows, so that a file which ends before that state is known to be cut.
        case optimizer = "shufflenetd.optimizer"
    }

    /// The card of a checkpoint. Throws `CheckpointError` when the class names are not a JSON array of strings.
    init(_ checkpoint: Checkpoint) throws(CheckpointError) {
        preprocessing = checkpoint.text(Key.preprocessing.rawValue)
        training = checkpoint.text(Key.training.rawValue)
        runState = checkpoint.text(Key.runState.rawValue)
        guard let classes = checkpoint.text(Key.classes.rawValue) else { return }
        do {
            classNames = try JSONDecoder().decode([String].self, from: Data(classes.utf8))
        } catch {
            throw CheckpointError(
                "the text \(Key.classes.rawValue.quoted) is no JSON array of class names: \(sentence(error))")
        }
    }

    func append(to checkpoint: inout Checkpoint) {
        if let classNames {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .withoutEscapingSlashes
            guard let json = try? encoder.encode(classNames) else {
                preconditionFailure("an array of strings has always a JSON form")
            }
            checkpoint.append(String(decoding: json, as: UTF8.self), named: Key.classes.rawValue)
        }
        for (key, text) in [(Key.preprocessing, preprocessing), (.training, training), (.runState, runState)] {
            if let text { checkpoint.append(text, named: key.rawValue) }
        }
    }
}
