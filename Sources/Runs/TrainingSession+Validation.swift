import Checkpoints
import Foundation
import Images
import Support

extension TrainingSession {
    /// More right answers than in any epoch before, or as many with a smaller loss. Without validation records the newest
    /// is the best, and one whose outputs were no numbers is not.
    func isBest(_ report: EvaluationReport?) -> Bool {
        guard let report else { return validation == nil }
        guard let top1 = state.bestTop1, report.top1 <= top1 else { return true }
        return report.top1 == top1 && state.bestLoss.map { report.loss < $0 } ?? false
    }

    /// Measures the network, and tells the epoch's end to the log. Nil without validation records, and for outputs that are no
    /// numbers.
    func validate(checkpoint: String, seconds: Double) throws -> EvaluationReport? {
        let start = ContinuousClock.now
        var report: EvaluationReport?
        var trouble: NotFiniteOutputs?
        do {
            report = try validation?.run(context: context) { _, _ in }
        } catch let failure as NotFiniteOutputs {
            trouble = failure
        }
        if let found = report, isBest(found) { report?.bfloat16Check = try widened(found.bfloat16Check) }
        // Only now, since an epoch whose validation was interrupted ends a second time.
        let steps = loader.batchesPerEpoch
        try log("epoch: \(state.epoch + 1) step: \(steps), loss is \(state.lastLoss)")
        try log(
            String(
                format: "Train epoch time: %.3f ms, per step time: %.3f ms", 1000 * seconds,
                1000 * seconds / Double(steps)))
        if let trouble { try log("the network \(trouble); this epoch is not the best, whatever comes") }
        guard let report else { return nil }
        guard report.images > 0 else {
            throw RunFailure.badInput(
                "none of the validation images of data set '\(run.data)' can be read; wanted JPEG, PNG or WebP files")
        }
        let line = EvaluationLog.line(
            report, checkpoint: (checkpoint as NSString).lastPathComponent,
            seconds: (ContinuousClock.now - start) / .seconds(1))
        try AppendedFile.append(line + "\n", to: run.out + "/eval_log.txt")
        try log(line)
        if let check = report.bfloat16Check { try log("the network \(check.sentence)") }
        return report
    }

    /// A comparison over few validation records says little; one that they pass goes on over training records, as pictures to
    /// be classified.
    private func widened(_ check: BFloat16Check?) throws -> BFloat16Check? {
        guard let check, check.isPassed, let further else { return check }
        // Pictures that can't be read have been told of.
        let silent = RunContext(threads: context.threads, stop: context.stop, isolation: context.isolation) { _ in }
        guard let more = try further.run(context: silent, progress: { _, _ in }).bfloat16Check else { return check }
        return BFloat16Check(images: check.images + more.images, agreeing: check.agreeing + more.agreeing)
    }
}
