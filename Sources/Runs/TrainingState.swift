/// Where a training run stands: travels inside its checkpoints, so that `--resume` goes on as if nothing had been.
///
/// Nothing random is in here: data order and augmentation are drawn from the seed, the epoch and the record.
struct TrainingState: Codable, Equatable {
    /// The options the run was begun with.
    var options: TrainingOptions
    /// Epochs that are complete.
    var epoch = 0
    /// Steps done in the epoch after those.
    var step = 0
    /// Steps done in all.
    var globalStep = 0
    /// Sum over images of the loss in the unfinished epoch, and the images it covers.
    var lossSum = 0.0
    var lossImages = 0
    /// Training images got right in the unfinished epoch.
    var correct = 0
    /// The best validation accuracy so far and its epoch.
    var bestTop1: Double?
    var bestEpoch: Int?
}
