import Images

/// Where a training run stands: travels inside its checkpoints, so that `--resume` goes on as if nothing had been.
///
/// Nothing random is in here: data order and augmentation are drawn from the seed, the epoch and the record.
struct TrainingState: Codable, Equatable {
    /// The options the run was begun with.
    var options: TrainingOptions
    /// The records the run was begun with.
    var records: RecordsIdentity
    /// Epochs that are complete.
    var epoch = 0
    /// Batches done in the epoch after those.
    var step = 0
    /// Sum over images of the loss in the unfinished epoch, and the images it covers.
    var lossSum = 0.0
    var lossImages = 0
    /// Training images got right in the unfinished epoch.
    var correct = 0
    /// The loss of the newest step in the unfinished epoch.
    var lastLoss: Float = 0
    /// Seconds spent on the unfinished epoch by earlier pieces of the run; nil in checkpoints that did not count them.
    var seconds: Double?
    /// The best validation accuracy so far, its loss and its epoch.
    var bestTop1: Double?
    var bestLoss: Double?
    var bestEpoch: Int?
    /// Images that could not be used so far; they count towards the limit of the whole run.
    var unreadable: [UnreadableImage] = []

    init(options: TrainingOptions, records: RecordsIdentity) {
        self.options = options
        self.records = records
    }

    func globalStep(_ stepsPerEpoch: Int) -> Int {
        epoch * stepsPerEpoch + step
    }

    /// Closes the running epoch, the `completed`th.
    mutating func beginEpoch(_ completed: Int, unreadable: [UnreadableImage]) {
        epoch = completed
        step = 0
        lossSum = 0
        lossImages = 0
        correct = 0
        lastLoss = 0
        seconds = nil
        self.unreadable = unreadable
    }
}
