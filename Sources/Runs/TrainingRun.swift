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
    public var options: TrainingOptions
    /// The data set's folder.
    public var data: String
    /// The output folder; made when missing.
    public var out: String
    /// A checkpoint to take the weights from.
    public var from: String?
    /// Goes on from `out`'s `last.ckpt`.
    public var resume: Bool
    /// A model in service: the result then says whether the new one is no worse on the same validation records.
    public var incumbent: String?

    public init(
        options: TrainingOptions, data: String, out: String, from: String? = nil, resume: Bool = false,
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
            try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
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
