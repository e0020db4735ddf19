import Checkpoints
import Foundation
import Images

/// The model in service under a name that a training wants for its own.
struct Incumbent {
    let path: String

    /// What a comparison came to.
    struct Verdict {
        var isPublished: Bool
        /// The incumbent's; nil where it could not be measured.
        var top1: Double?
        var sentence: String
    }

    /// Compares `top1`, measured on the records of `pass`, with what the incumbent comes to on them.
    ///
    /// - Parameters:
    ///   - top1: of the new model; nil where nothing was measured.
    ///   - pass: over the new model's validation records, by another model; nil where there are none.
    /// - Throws: what stops a run. An incumbent that can't be used is no reason to lose the training.
    func compare(
        top1: Double?, classNames: [String], context: RunContext, pass: ((TrainedModel) throws -> EvaluationPass)?
    ) throws -> Verdict {
        func kept(_ sentence: String) -> Verdict { Verdict(isPublished: false, sentence: "not published: \(sentence)") }
        guard let top1, let pass else {
            return kept("without validation records it cannot be compared with '\(path)'")
        }
        let model: TrainedModel
        do {
            model = try TrainedModel(path: path)
        } catch {
            return kept("the model in service cannot be used: \(error); remove it, or publish under another name")
        }
        func names(_ list: [String]) -> Set<[UInt8]> { Set(list.map { Array($0.utf8) }) }
        guard names(model.classNames) == names(classNames) else {
            return kept("'\(path)' tells other classes apart; publish under another name or remove it")
        }
        do {
            let old = try pass(model).run(context: context) { _, _ in }.top1
            return top1 >= old
                ? Verdict(
                    isPublished: true, top1: old,
                    sentence: "published: top-1 \(top1) is no worse than \(old) of the model in service")
                : Verdict(
                    isPublished: false, top1: old,
                    sentence: "not published: top-1 \(top1) is worse than \(old) of the model in service")
        } catch let failure as NotFiniteOutputs {
            return Verdict(isPublished: true, sentence: "published: the model in service \(failure)")
        }
    }
}
