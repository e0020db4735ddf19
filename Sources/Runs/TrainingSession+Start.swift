import Checkpoints
import Foundation
import Images
import ShuffleNet
import Support

extension TrainingSession {
    static func resumePoint(
        of run: TrainingRun, shelf: CheckpointShelf, records: RecordsIdentity, stepsPerEpoch: Int, context: RunContext
    ) throws -> ResumePoint? {
        func newest() throws -> ResumePoint {
            var damage: CheckpointError?
            for path in shelf.candidates {
                do {
                    return try ResumePoint(
                        path: path, options: run.options, records: records, stepsPerEpoch: stepsPerEpoch)
                } catch let error as CheckpointError where error.systemError == nil {
                    context.log("passed over: \(error)")
                    damage = damage ?? error
                }
            }
            if let damage {
                throw RunFailure.badInput(
                    "\(damage); wanted a whole checkpoint to go on from; train into another folder to begin anew")
            }
            throw RunFailure.badInput(
                "there is no '\(shelf.last)' to resume from; "
                    + (shelf.isUsed
                        ? "train into another folder to begin anew" : "leave out --resume to begin anew"))
        }
        switch run.resume {
        case .no:
            if shelf.isUsed {
                throw RunFailure.badInput(
                    "'\(run.out)' holds a run already; wanted another folder, or --resume to go on with that run")
            }
            return nil
        case .required:
            return try newest()
        case .ifPossible:
            if !shelf.isUsed { return nil }
            do {
                return try newest()
            } catch let failure as RunFailure {
                context.log("cannot go on from the earlier attempt, beginning anew: \(failure.message)")
                shelf.clear()
                return nil
            }
        }
    }

    /// Loads a checkpoint's weights, and says so in a line for the log.
    static func takeWeights(from path: String, into network: Network, classNames: [String]) throws -> String {
        guard FileManager.default.fileExists(atPath: path) else {
            throw RunFailure.badInput("there is no checkpoint '\(path)' to begin from")
        }
        let file = try ModelFile(path: path)
        let (found, wanted) = (file.configuration, network.configuration)
        guard found.size == wanted.size, found.groups == wanted.groups else {
            throw RunFailure.badInput(
                "checkpoint '\(path)' is of a \(found.size.rawValue) with \(found.groups.rawValue) groups, wanted "
                    + "\(wanted.size.rawValue) with \(wanted.groups.rawValue); set model_size and groups to its own")
        }
        let dropped = try file.loadForFineTuning(into: network, classNames: classNames, file: path)
        return "began with the weights of '\(path)'" + (dropped.map { "; \($0)" } ?? "")
    }
}
