import Images
public import ShuffleNet

/// Everything that shapes a training run apart from where its files lie. The defaults are the source document's.
public struct TrainingOptions: Codable, Sendable, Equatable {
    public enum Schedule: String, Codable, Sendable, CaseIterable {
        /// A linear climb over the warm-up epochs (half of the run at most), then a cosine down to the minimum; a value a step.
        case cosine
        /// MindSpore's `cosine_decay_lr` over all epochs: no climb, and a value an epoch.
        case cosineDecay = "cosine_decay"
        /// The learning rate as given, throughout.
        case constant
    }

    /// How training images are varied. `auto` takes what fits the data set: CIFAR records or photographs.
    public enum Augmentation: String, Codable, Sendable, CaseIterable {
        case auto, none, cifar, photographs
    }

    public var modelSize = ModelSize.full
    public var groups = GroupCount.three.rawValue
    public var epochs = 10
    public var batch = 128
    /// Height and width of the network's input in pixels.
    public var pixels = 224
    public var seed = 1
    public var learningRate = 0.05
    /// What either cosine ends at; of its own accord never more than the learning rate, see `lowerMinimum`.
    public var minimumLearningRate = 0.0005
    public var warmUpEpochs = 4
    public var schedule = Schedule.cosine
    public var momentum = 0.9
    public var weightDecay = 4e-5
    public var labelSmoothing = 0.1
    /// What activations are stored and products computed in; sums, statistics, weights and the update stay float32.
    public var precision = Precision.float32
    /// Gradients are computed of the loss times this; nil: of the loss itself.
    public var lossScale: Double?
    public var augmentation = Augmentation.auto
    /// Leaves out the last, smaller batch of an epoch; nil: where it would be one image or less than a quarter of a batch,
    /// whose statistics throw the weights far off.
    public var dropsRemainder: Bool?
    /// Takes at most so many training records.
    public var records: Int?
    /// Takes at most so many validation records.
    public var validationRecords: Int?
    /// The share held back for validation when the data set has no validation part of its own.
    public var validationShare = 0.1
    /// The share of unreadable images past which the run fails.
    public var unreadableLimit = BatchLoader.usualUnreadableLimit
    /// Writes `last.ckpt` also every so many steps within an epoch.
    public var checkpointSteps: Int?

    /// How picture files are read.
    public var pictures = PictureOptions()

    public init() {}

    /// Written out for the precision, which may be missing: checkpoints of runs that had no choice of it name none, and
    /// these were float32.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        modelSize = try values.decode(ModelSize.self, forKey: .modelSize)
        groups = try values.decode(Int.self, forKey: .groups)
        epochs = try values.decode(Int.self, forKey: .epochs)
        batch = try values.decode(Int.self, forKey: .batch)
        pixels = try values.decode(Int.self, forKey: .pixels)
        seed = try values.decode(Int.self, forKey: .seed)
        learningRate = try values.decode(Double.self, forKey: .learningRate)
        minimumLearningRate = try values.decode(Double.self, forKey: .minimumLearningRate)
        warmUpEpochs = try values.decode(Int.self, forKey: .warmUpEpochs)
        schedule = try values.decode(Schedule.self, forKey: .schedule)
        momentum = try values.decode(Double.self, forKey: .momentum)
        weightDecay = try values.decode(Double.self, forKey: .weightDecay)
        labelSmoothing = try values.decode(Double.self, forKey: .labelSmoothing)
        precision = try values.decodeIfPresent(Precision.self, forKey: .precision) ?? .float32
        lossScale = try values.decodeIfPresent(Double.self, forKey: .lossScale)
        augmentation = try values.decode(Augmentation.self, forKey: .augmentation)
        dropsRemainder = try values.decodeIfPresent(Bool.self, forKey: .dropsRemainder)
        if dropsRemainder == nil {
            // Runs that could not leave it open had false for a default.
            let former = try decoder.container(keyedBy: FormerKeys.self)
            if try former.decodeIfPresent(Bool.self, forKey: .dropRemainder) == true { dropsRemainder = true }
        }
        records = try values.decodeIfPresent(Int.self, forKey: .records)
        validationRecords = try values.decodeIfPresent(Int.self, forKey: .validationRecords)
        validationShare = try values.decode(Double.self, forKey: .validationShare)
        unreadableLimit = try values.decode(Double.self, forKey: .unreadableLimit)
        checkpointSteps = try values.decodeIfPresent(Int.self, forKey: .checkpointSteps)
        pictures = try values.decode(PictureOptions.self, forKey: .pictures)
    }

    private enum FormerKeys: CodingKey {
        case dropRemainder
    }

    /// What is wrong with the options, a sentence each; empty when all is well.
    public var mistakes: [String] {
        var mistakes: [String] = []
        func check(_ holds: Bool, _ name: String, _ found: some CustomStringConvertible, _ wanted: String) {
            if !holds { mistakes.append("\(name) is \(found); wanted \(wanted)") }
        }
        check(GroupCount(rawValue: groups) != nil, "groups", groups, GroupCount.words)
        check((1...100_000).contains(epochs), "epochs", epochs, "1 to 100000")
        check(SharedBounds.batch.contains(batch), "batch", batch, SharedBounds.batch.words)
        check(SharedBounds.pixels.contains(pixels), "pixels", pixels, SharedBounds.pixels.words)
        check(seed >= 0, "seed", seed, "0 or more")
        check(learningRate > 0 && learningRate <= 100, "lr", learningRate, "more than 0 and at most 100")
        if schedule != .constant && learningRate > 0 {
            check(
                minimumLearningRate >= 0 && minimumLearningRate <= learningRate, "min_lr", minimumLearningRate,
                "0 or more and at most lr (\(learningRate))")
        } else {
            check((0...100).contains(minimumLearningRate), "min_lr", minimumLearningRate, "0 to 100")
        }
        check((0...100_000).contains(warmUpEpochs), "warm_up_epochs", warmUpEpochs, "0 to 100000")
        check(momentum >= 0 && momentum < 1, "momentum", momentum, "0 or more and below 1")
        check(weightDecay >= 0 && weightDecay < 1, "weight_decay", weightDecay, "0 or more and below 1")
        check(labelSmoothing >= 0 && labelSmoothing < 1, "label_smoothing", labelSmoothing, "0 or more and below 1")
        if let lossScale {
            check(lossScale >= 1 && lossScale <= 65536, "loss_scale", lossScale, "1 to 65536")
        }
        if let records { check(records > 0, "records", records, "1 or more") }
        if let validationRecords { check(validationRecords > 0, "validation_records", validationRecords, "1 or more") }
        check(
            validationShare > 0 && validationShare < 1, "validation_share", validationShare, "more than 0 and below 1")
        check((0...1).contains(unreadableLimit), "unreadable_limit", unreadableLimit, "0 to 1")
        if let checkpointSteps { check(checkpointSteps > 0, "checkpoint_steps", checkpointSteps, "1 or more") }
        mistakes += pictures.mistakes
        return mistakes
    }

    /// Brings the cosine's end down to a learning rate that is smaller. For whoever gives a learning rate and no minimum,
    /// who should not be told that a minimum is too large which was never given.
    public mutating func lowerMinimum() {
        minimumLearningRate = min(minimumLearningRate, max(learningRate, 0))
    }

    /// What each key of a train job is with these options.
    var arguments: [String: String] {
        var options = self
        var reader = ArgumentReader([:], kind: .train)
        options.read(from: &reader)
        return reader.settled
    }

    /// Reads the keys of a train job into these options.
    mutating func read(from reader: inout ArgumentReader) {
        reader.choice("model_size", into: &modelSize)
        reader.integer("groups", into: &groups)
        reader.integer("epochs", into: &epochs)
        reader.integer("batch", into: &batch)
        reader.integer("pixels", into: &pixels)
        reader.integer("seed", into: &seed)
        reader.number("lr", into: &learningRate)
        lowerMinimum()
        reader.number("min_lr", into: &minimumLearningRate)
        reader.integer("warm_up_epochs", into: &warmUpEpochs)
        reader.choice("schedule", into: &schedule)
        reader.number("momentum", into: &momentum)
        reader.number("weight_decay", into: &weightDecay)
        reader.number("label_smoothing", into: &labelSmoothing)
        reader.choice("precision", into: &precision)
        reader.number("loss_scale", into: &lossScale)
        reader.choice("augmentation", into: &augmentation)
        reader.flag("drop_remainder", into: &dropsRemainder)
        reader.integer("records", into: &records)
        reader.integer("validation_records", into: &validationRecords)
        reader.number("validation_share", into: &validationShare)
        reader.number("unreadable_limit", into: &unreadableLimit)
        reader.integer("checkpoint_steps", into: &checkpointSteps)
        pictures.read(from: &reader)
        reader.add(mistakes: mistakes)
    }
}

extension TrainingOptions {
    /// The validated group count. Throws `RunFailure` for any other.
    var groupCount: GroupCount {
        get throws(RunFailure) {
            guard let count = GroupCount(rawValue: groups) else {
                throw .badInput("groups is \(groups); wanted \(GroupCount.words)")
            }
            return count
        }
    }

    /// Whether the last, smaller batch of an epoch over so many records is left out.
    func leavesOutRemainder(of records: Int) -> Bool {
        if let dropsRemainder { return dropsRemainder }
        let remainder = records % batch
        return records > batch && remainder > 0 && (remainder == 1 || remainder * 4 < batch)
    }

    var loss: LossOptions {
        LossOptions(labelSmoothing: Float(labelSmoothing), scale: Float(lossScale ?? 1))
    }

    func augmentation(for kind: OpenedDataset.Kind) -> Images.Augmentation {
        switch augmentation {
        case .none: .none
        case .cifar: .cifar
        case .photographs: .photographs
        case .auto: kind == .cifar10 ? .cifar : .photographs
        }
    }

    func schedule(stepsPerEpoch: Int) -> LearningRateSchedule {
        switch schedule {
        case .constant: .constant(Float(learningRate))
        case .cosine:
            .warmUpCosine(
                minimum: Float(minimumLearningRate), maximum: Float(learningRate), stepsPerEpoch: stepsPerEpoch,
                warmUpEpochs: warmUpEpochs, epochs: epochs)
        case .cosineDecay:
            .cosineDecay(
                minimum: Float(minimumLearningRate), maximum: Float(learningRate), stepsPerEpoch: stepsPerEpoch,
                decayEpochs: epochs)
        }
    }
}
