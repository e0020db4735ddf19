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
    /// Whether bfloat16 may stand in for float32; nil when that was never measured.
    public var bfloat16Check: BFloat16Check?

    public init(
        classNames: [String]? = nil, preprocessing: String? = nil, training: String? = nil, runState: String? = nil,
        bfloat16Check: BFloat16Check? = nil
    ) {
        self.classNames = classNames
        self.preprocessing = preprocessing
        self.training = training
        self.runState = runState
        self.bfloat16Check = bfloat16Check
    }

    /// What every name of a text entry of ours begins with.
    public static let prefix = "shufflenetd."

    enum Key: String, CaseIterable {
        case classes = "shufflenetd.classes"
        case preprocessing = "shufflenetd.preprocessing"
        case training = "shufflenetd.training"
        case runState = "shufflenetd.run_state"
        case bfloat16Check = "shufflenetd.bf16_check"
        /// `0.5x` …; for readers without the network at hand, the weights decide.
        case modelSize = "shufflenetd.model_size"
        case groups = "shufflenetd.groups"
        /// The optimiser whose state follows, so that a file which ends before that state is known to be cut.
        case optimizer = "shufflenetd.optimizer"
    }

    /// The card of a checkpoint. Throws `CheckpointError` when the class names are not a JSON array of strings, or the
    /// check of bfloat16 is none.
    init(_ checkpoint: Checkpoint) throws(CheckpointError) {
        preprocessing = checkpoint.text(Key.preprocessing.rawValue)
        training = checkpoint.text(Key.training.rawValue)
        runState = checkpoint.text(Key.runState.rawValue)
        classNames = try Self.decode(.classes, of: checkpoint, wanted: "JSON array of class names")
        bfloat16Check = try Self.decode(.bfloat16Check, of: checkpoint, wanted: "JSON object of images and agreeing")
    }

    private static func decode<Value: Decodable>(
        _ key: Key, of checkpoint: Checkpoint, wanted: String
    ) throws(CheckpointError) -> Value? {
        guard let text = checkpoint.text(key.rawValue) else { return nil }
        do {
            return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
        } catch {
            throw CheckpointError("the text \(key.rawValue.quoted) is no \(wanted): \(sentence(error))")
        }
    }

    func append(to checkpoint: inout Checkpoint) {
        if let classNames { checkpoint.append(Self.json(classNames), named: Key.classes.rawValue) }
        for (key, text) in [(Key.preprocessing, preprocessing), (.training, training), (.runState, runState)] {
            if let text { checkpoint.append(text, named: key.rawValue) }
        }
        if let bfloat16Check { checkpoint.append(Self.json(bfloat16Check), named: Key.bfloat16Check.rawValue) }
    }

    private static func json(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let json = try? encoder.encode(value) else {
            preconditionFailure("texts and whole numbers have always a JSON form")
        }
        return String(decoding: json, as: UTF8.self)
    }
}
