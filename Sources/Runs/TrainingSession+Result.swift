import Foundation
import Images
import ShuffleNet
import Support

extension TrainingSession {
    /// The run's figures; compared with the incumbent's when there is one.
    func result() throws -> RunResult {
        var figures: [String: Double] = ["epochs": Double(options.epochs)]
        var files = ["last": "last.ckpt", "results": "results.csv", "log": "train.log"]
        var summary = "trained \(options.epochs) epochs"
        guard let epoch = state.bestEpoch else {
            throw RunFailure.badInput(
                "after no epoch the network gave finite numbers for the validation records: the training diverged; wanted a "
                    + "lower learning rate than \(options.learningRate)")
        }
        files["best"] = "best.ckpt"
        if let best = state.bestTop1 {
            figures["top_1"] = best
            figures["best_epoch"] = Double(epoch)
            summary += "; best validation top-1 \(best) in epoch \(epoch)"
        }
        var replaced: String?
        // Looked for only now: a night's training ago it may have been another one, or none.
        if let path = run.incumbent, FileManager.default.fileExists(atPath: path) {
            // Before it is compared: one that takes its place meanwhile has another. What can't be read is told below.
            replaced = try? ModelDigest.of(path)
            let verdict = try compare(with: Incumbent(path: path))
            figures["incumbent_top_1"] = verdict.top1
            if verdict.isPublished { files["publish"] = "best.ckpt" }
            summary += "; \(verdict.sentence)"
            try log(verdict.sentence)
        } else {
            files["publish"] = "best.ckpt"
        }
        return RunResult(figures: figures, files: files, summary: summary, replaces: replaced)
    }

    /// Measures the model in service on this run's validation records.
    private func compare(with incumbent: Incumbent) throws -> Incumbent.Verdict {
        // Each model sees the pictures as it was trained to.
        var pictures = options.pictures
        pictures.orientation = nil
        let records = dataset.validation?.limited(to: options.validationRecords)
        let pass = records.map { records in
            { (model: TrainedModel) in
                EvaluationPass(
                    model: model, dataset: records, batch: min(self.options.batch, 64),
                    labelSmoothing: self.options.labelSmoothing, unreadableLimit: self.options.unreadableLimit,
                    wholeCount: self.wholeCount, pictures: pictures, isolation: self.context.isolation,
                    pool: ThreadPool(threads: self.context.threads))
            }
        }
        return try incumbent.compare(
            top1: state.bestTop1, classNames: dataset.classNames, context: context, pass: pass)
    }
}
