import Checkpoints
import Foundation
import Images

/// The records that an evaluation measures a model on, and what there is to say of them.
struct MeasuredRecords {
    let dataset: any Dataset
    /// For instance `all 360 records of 'photos'`.
    let description: String
    /// Whether the model was trained on some of them.
    let areFamiliar: Bool

    /// Throws `DatasetError`, and `RunFailure` when the data set has no such part.
    init(_ part: EvaluationOptions.Part, of path: String, for model: ModelFile, limit: Int?) throws {
        let run = Self.run(of: model)
        // Held back is what the model's own training would hold back.
        let share = run?.options.validationShare ?? DatasetOpener.defaultValidationShare
        var opened = try DatasetOpener.open(path, validationShare: share, limit: run?.options.records)
        let isSame = run.map { Self.isSame(opened, as: $0) } ?? false
        if !isSame, run?.options.records != nil { opened = try DatasetOpener.open(path, validationShare: share) }
        let all: any Dataset
        switch part {
        case .auto: all = opened.all
        case .validation:
            guard let validation = opened.validation else { throw Self.lacks("validation", path) }
            all = validation
        case .training:
            guard let training = opened.training else { throw Self.lacks("training", path) }
            all = training
        }
        dataset = all.limited(to: limit)
        let count = dataset.count
        let isDividedByOwner = opened.validation != nil && !opened.isDividedByHash
        description =
            switch part {
            case .auto where !isDividedByOwner: "all \(count) records of '\(path)'"
            case .validation where opened.isDividedByHash:
                "the \(count) records of '\(path)' held back by hash (validation_share \(share))"
            case .auto, .validation: "the \(count) records for validation of '\(path)'"
            case .training: "the \(count) records for training of '\(path)'"
            }
        areFamiliar = isSame && (part == .training || part == .auto && !isDividedByOwner)
    }

    /// Whether a training worked on these very records.
    private static func isSame(_ opened: OpenedDataset, as run: TrainingState) -> Bool {
        guard let training = opened.training else { return false }
        let validation = opened.validation?.limited(to: run.options.validationRecords)
        return run.records
            == RecordsIdentity(classNames: opened.classNames, training: training, validation: validation)
    }

    /// The training that wrote the checkpoint, if it tells, with options that a training can have.
    private static func run(of model: ModelFile) -> TrainingState? {
        let state = model.card.runState.flatMap { try? JSONDecoder().decode(TrainingState.self, from: Data($0.utf8)) }
        return state.flatMap { $0.options.mistakes.isEmpty ? $0 : nil }
    }

    private static func lacks(_ part: String, _ path: String) -> RunFailure {
        .badInput("data set '\(path)' has no records for \(part); wanted another part, or a data set that has some")
    }
}
