import Foundation
import Images
import ShuffleNet
import Support

/// Trains a network on a data set, from scratch, from a checkpoint's weights, or on from where a run stopped.
///
/// The output folder receives `shufflenetv1-<epoch>_<step>.ckpt` (the newest five), `last.ckpt`, `best.ckpt`,
/// `results.csv`, `eval_log.txt` and `train.log`. The same options, data and seed give the same checkpoint bytes at any
/// number of threads, also when the run was stopped and resumed in between.
public struct TrainingRun: Sendable {
    /// Whether to go on from the output folder's `last.ckpt`.
    public enum Resume: Sendable {
        /// Begins anew; a folder that holds a run already is refused.
        case no
        /// Goes on, or fails if that cannot be.
        case required
        /// Goes on where that can be; else clears the folder and begins anew.
        case ifPossible
    }

    public var options: TrainingOptions
    /// The data set's folder.
    public var data: String
    /// The output folder; made when missing.
    public var out: String
    /// A checkpoint to take the weights from.
    public var from: String?
    public var resume: Resume
    /// Where a model may be in service when the run ends: the result then says whether the new one is no worse on the same
    /// validation records.
    public var incumbent: String?

    public init(
        options: TrainingOptions, data: String, out: String, from: String? = nil, resume: Resume = .no,
        incumbent: String? = nil
    ) {
        self.options = options
        self.data = data
        self.out = out
        self.from = from
        self.resume = resume
        self.incumbent = incumbent
    }

    /// Blocks until the run is over. Throws `RunFailure` for bad options and input, and when asked to stop.
    public func execute(in context: RunContext) throws -> RunResult {
        try reportingAsFailure {
            try refuse(options.mistakes)
            let dataset = try DatasetOpener.open(
                data, validationShare: options.validationShare, limit: options.records)
            guard let training = dataset.training, training.count > 0 else {
                throw RunFailure.badInput(
                    "data set '\(data)' has no training records; wanted data_batch_*.bin or one folder a class")
            }
            guard dataset.classNames.count >= 2 else {
                throw RunFailure.badInput(
                    "data set '\(data)' has \(dataset.classNames.count) class; wanted at least two to tell apart")
            }
            let folder = try OutputFolder(locking: out)
            defer { withExtendedLifetime(folder) {} }
            let session = try TrainingSession(run: self, dataset: dataset, training: training, context: context)
            try session.train()
            return try session.result()
        }
    }
}

/// Throws one `RunFailure` with all sentences, if there are any.
func refuse(_ mistakes: [String]) throws(RunFailure) {
    if !mistakes.isEmpty { throw .badInput(mistakes.joined(separator: "; ")) }
}

/// Runs `body`; whatever it throws leaves as a `RunFailure`.
func reportingAsFailure<Value>(_ body: () throws -> Value) throws(RunFailure) -> Value {
    do { return try body() } catch { throw RunFailure(wrapping: error) }
}
