import Checkpoints
import Foundation
import Images

/// What a stopped run left in its `last.ckpt`, fit for a run of the same options over the same records.
struct ResumePoint {
    let path: String
    let file: ModelFile
    let state: TrainingState

    /// - Throws: `CheckpointError` when the file can't be read; `RunFailure` (bad input) when it belongs to a run of other
    ///   options or other records.
    init(path: String, options: TrainingOptions, records: RecordsIdentity, stepsPerEpoch: Int) throws {
        self.path = path
        file = try ModelFile(path: path)
        guard let json = file.card.runState, file.optimizer != nil else {
            throw RunFailure.badInput(
                "checkpoint '\(path)' holds no run state to resume from; wanted one written by a training run "
                    + "(use --from to take over its weights only)")
        }
        do {
            state = try JSONDecoder().decode(TrainingState.self, from: Data(json.utf8))
        } catch {
            throw RunFailure.badInput(
                "the run state in checkpoint '\(path)' cannot be read, it may be of another version: \(error)")
        }
        var former = state.options.arguments
        // Shapes nothing but how much a kill costs.
        former["checkpoint_steps"] = options.arguments["checkpoint_steps"]
        guard former == options.arguments else {
            let changes = options.arguments.sorted { $0.key < $1.key }.filter { former[$0.key] != $0.value }
                .map { "\($0.key) is \($0.value), wanted \(former[$0.key] ?? "none")" }
            throw RunFailure.badInput(
                "checkpoint '\(path)' belongs to a run with other options: \(changes.joined(separator: "; ")); "
                    + "resume with the same ones, or use --from to begin a new run with its weights")
        }
        guard state.records == records else {
            throw RunFailure.badInput(
                "checkpoint '\(path)' belongs to a run over other records: it had "
                    + "\(Self.text(state.records)); now there are \(Self.text(records)); "
                    + "use --from to begin a new run with its weights")
        }
        guard (0...options.epochs).contains(state.epoch), (0...stepsPerEpoch).contains(state.step) else {
            throw RunFailure.badInput(
                "the run state in checkpoint '\(path)' stands after epoch \(state.epoch) "
                    + "and step \(state.step) of the next; wanted 0 to \(options.epochs) and 0 to \(stepsPerEpoch)")
        }
    }

    private static func text(_ records: RecordsIdentity) -> String {
        "\(records.training) for training and \(records.validation) for validation of "
            + "\(records.classNames.map(SafeText.escaped).joined(separator: ", ")) (names' checksum \(String(records.checksum, radix: 16)))"
    }
}
