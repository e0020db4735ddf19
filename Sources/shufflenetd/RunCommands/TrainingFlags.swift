public import ArgumentParser
public import Runs
public import ShuffleNet

extension ModelSize: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}
extension EvaluationOptions.Part: ExpressibleByArgument {}
extension TrainingOptions.Schedule: ExpressibleByArgument {}
extension TrainingOptions.Augmentation: ExpressibleByArgument {}

/// The flags of `train` that end up in `TrainingOptions`; each default is that type's own.
struct TrainingFlags: ParsableArguments {
    private static let defaults = TrainingOptions()

    @Option(help: "Width of the network: 0.5x, 1.0x, 1.5x or 2.0x.")
    var modelSize = Self.defaults.modelSize
    @Option(help: "Groups of the pointwise convolutions: \(GroupCount.words).")
    var groups = Self.defaults.groups
    @Option(help: "Passes over the training set.")
    var epochs = Self.defaults.epochs
    @Option(help: "Images a step.")
    var batch = Self.defaults.batch
    @Option(help: "Height and width of the network's input.")
    var pixels = Self.defaults.pixels
    @Option(help: "The same seed gives the same bytes.")
    var seed = Self.defaults.seed
    @Option(help: "Base learning rate.")
    var lr = Self.defaults.learningRate
    @Option(
        help: """
            Learning rate at the end of the cosine. (default: \(Self.defaults.minimumLearningRate), or --lr where that is \
            smaller)
            """)
    var minLr: Double?
    @Option(help: "Epochs of linear warm-up before the cosine.")
    var warmUpEpochs = Self.defaults.warmUpEpochs
    @Option(help: "cosine, constant, or cosine_decay: MindSpore's, a value an epoch and without warm-up.")
    var schedule = Self.defaults.schedule
    @Option(help: "Momentum of the optimiser.")
    var momentum = Self.defaults.momentum
    @Option(help: "Weight decay; not on batch norm's gamma and beta.")
    var weightDecay = Self.defaults.weightDecay
    @Option(help: "Label smoothing of the loss.")
    var labelSmoothing = Self.defaults.labelSmoothing
    @Option(help: "What products are computed in: f32 or bf16.")
    var precision = Self.defaults.precision
    @Option(help: "Compute gradients of so many times the loss.")
    var lossScale: Double?
    @Option(help: "auto, none, cifar or photographs.")
    var augmentation = Self.defaults.augmentation
    @Flag(
        inversion: .prefixedNo,
        help: """
            Leave out the last, smaller batch of an epoch. (default: where it is one image or less than a quarter of a batch)
            """)
    var dropRemainder: Bool?
    @Option(help: "Take at most so many training records.")
    var records: Int?
    @Option(help: "Take at most so many validation records.")
    var validationRecords: Int?
    @Option(help: "Share held back for validation where the data set has no such part.")
    var validationShare = Self.defaults.validationShare
    @Option(help: "Share of unreadable images past which the run fails.")
    var unreadableLimit = Self.defaults.unreadableLimit
    @Option(help: "Write last.ckpt also every so many steps.")
    var checkpointSteps: Int?

    var options: TrainingOptions {
        var options = TrainingOptions()
        options.modelSize = modelSize
        options.groups = groups
        options.epochs = epochs
        options.batch = batch
        options.pixels = pixels
        options.seed = seed
        options.learningRate = lr
        options.lowerMinimum()
        if let minLr { options.minimumLearningRate = minLr }
        options.warmUpEpochs = warmUpEpochs
        options.schedule = schedule
        options.momentum = momentum
        options.weightDecay = weightDecay
        options.labelSmoothing = labelSmoothing
        options.precision = precision
        options.lossScale = lossScale
        options.augmentation = augmentation
        options.dropsRemainder = dropRemainder
        options.records = records
        options.validationRecords = validationRecords
        options.validationShare = validationShare
        options.unreadableLimit = unreadableLimit
        options.checkpointSteps = checkpointSteps
        return options
    }
}
