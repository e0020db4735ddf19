import Checkpoints
import Foundation
import Images
import ShuffleNet
import Support

/// The moving parts of one training run.
final class TrainingSession {
    let run: TrainingRun
    let options: TrainingOptions
    let context: RunContext
    let dataset: OpenedDataset
    private let model: TrainedModel
    private let trainer: Trainer
    let loader: BatchLoader
    let validation: EvaluationPass?
    /// Over training records, where validation records are few.
    let further: EvaluationPass?
    private let schedule: LearningRateSchedule
    let shelf: CheckpointShelf
    private let journal: TrainingJournal
    /// Records of all parts of the data set.
    let wholeCount: Int
    var state: TrainingState
    /// When this piece of the unfinished epoch began.
    private var pieceStart = ContinuousClock.now

    init(run: TrainingRun, dataset: OpenedDataset, training: any Dataset, context: RunContext) throws {
        self.run = run
        self.dataset = dataset
        self.context = context
        let options = run.options
        self.options = options
        shelf = CheckpointShelf(folder: run.out)

        let configuration = NetworkConfiguration(
            size: options.modelSize, groups: try options.groupCount, classes: dataset.classNames.count)
        let batch = min(options.batch, training.count)
        try Self.checkMemory(configuration, options, batch: batch)
        let network = Network(configuration: configuration, seed: UInt64(options.seed))
        let preprocessing = options.pictures.applied(
            to: dataset.kind == .cifar10 ? .cifar10(pixels: options.pixels) : .photographs(pixels: options.pixels))
        model = TrainedModel(network: network, classNames: dataset.classNames, preprocessing: preprocessing)

        let wholeCount = training.count + (dataset.validation?.count ?? 0)
        self.wholeCount = wholeCount
        let pool = ThreadPool(threads: context.threads)
        trainer = Trainer(
            network: network, pixels: options.pixels, batch: batch, pool: pool,
            optimizer: MomentumSGD(
                momentum: Float(options.momentum), weightDecay: Float(options.weightDecay)),
            loss: options.loss, precision: options.precision)
        loader = BatchLoader(
            dataset: training, preprocessing: preprocessing, augmentation: options.augmentation(for: dataset.kind),
            options: .init(
                batchSize: options.batch, seed: UInt64(options.seed),
                dropsRemainder: options.leavesOutRemainder(of: training.count),
                threads: context.threads, unreadableLimit: options.unreadableLimit, wholeCount: wholeCount,
                decoding: options.pictures.decoding, isolation: context.isolation))
        guard loader.batchesPerEpoch > 0 else {
            throw RunFailure.badInput(
                "data set '\(run.data)' has \(training.count) training records, less than one batch of "
                    + "\(options.batch), and drop_remainder leaves out the rest; wanted a smaller batch")
        }
        func pass(over records: any Dataset) -> EvaluationPass {
            EvaluationPass(
                model: TrainedModel(network: network, classNames: dataset.classNames, preprocessing: preprocessing),
                dataset: records, batch: min(options.batch, 64), labelSmoothing: options.labelSmoothing,
                unreadableLimit: options.unreadableLimit, wholeCount: wholeCount, pictures: options.pictures,
                isolation: context.isolation, pool: pool, checksBFloat16: true)
        }
        let held = dataset.validation?.limited(to: options.validationRecords)
        validation = held.map(pass)
        let missing = BFloat16Check.wantedImages - (held?.count ?? 0)
        further = held != nil && missing > 0 ? pass(over: training.limited(to: missing)) : nil
        schedule = options.schedule(stepsPerEpoch: loader.batchesPerEpoch)

        let records = RecordsIdentity(
            classNames: dataset.classNames, training: training,
            validation: dataset.validation?.limited(to: options.validationRecords))
        shelf.sweep()
        let point = try Self.resumePoint(
            of: run, shelf: shelf, records: records, stepsPerEpoch: loader.batchesPerEpoch, context: context)
        state = point?.state ?? TrainingState(options: options, records: records)
        var began: String?
        if let point {
            try point.file.load(into: network, file: point.path)
            try point.file.optimizer?.restore(into: trainer)
            loader.remember(state.unreadable)
        } else if let from = run.from {
            began = try Self.takeWeights(from: from, into: network, classNames: dataset.classNames)
        }
        journal = try TrainingJournal(folder: run.out, completedEpochs: state.epoch)
        try announce(training: training, resumed: point != nil)
        if let began { try log(began) }
    }

    /// A machine that cannot hold the activations would end the process in the middle of allocating them.
    static func checkMemory(
        _ configuration: NetworkConfiguration, _ options: TrainingOptions, batch: Int, limit: Int = SystemMemory.limit
    ) throws(RunFailure) {
        let needed = Trainer.activationBytes(
            configuration: configuration, pixels: options.pixels, batch: batch, precision: options.precision)
        guard needed < limit else {
            throw .badInput(
                "training \(options.modelSize.rawValue) with batch \(batch) at \(options.pixels) px keeps "
                    + "\(needed >> 20) MiB of activations, and there are \(limit >> 20) MiB of memory; "
                    + "wanted a smaller batch or fewer pixels")
        }
    }

    /// Runs the epochs that are left.
    func train() throws {
        context.emit(.started)
        var meter = ProgressMeter(
            context: context, total: options.epochs * loader.batchesPerEpoch,
            alreadyDone: state.globalStep(loader.batchesPerEpoch))
        while state.epoch < options.epochs {
            try trainEpoch(&meter)
        }
    }

    private func trainEpoch(_ meter: inout ProgressMeter) throws {
        let epoch = state.epoch
        let steps = loader.batchesPerEpoch
        pieceStart = .now
        loader.begin(epoch: epoch, batch: state.step)
        while let batch = try loader.next() {
            for image in batch.unreadable { try log("skipped '\(SafeText.escaped(image.name))': \(image.error)") }
            let globalStep = epoch * steps + batch.number
            let outcome = batch.labels.withUnsafeBufferPointer { labels in
                trainer.step(
                    images: batch.images, labels: labels.baseAddress!, count: batch.count,
                    learningRate: schedule.rate(at: globalStep))
            }
            guard outcome.loss.isFinite else {
                throw RunFailure.badInput(
                    "the loss became \(outcome.loss) at epoch \(epoch + 1), step \(batch.number + 1): the training "
                        + "diverged; wanted a lower learning rate than \(options.learningRate)")
            }
            state.lastLoss = outcome.loss
            state.step = batch.number + 1
            state.lossSum += Double(outcome.loss) * Double(batch.count)
            state.lossImages += batch.count
            state.correct += outcome.correct
            meter.advance(to: globalStep + 1, message: "epoch \(epoch + 1) of \(options.epochs)")
            if context.stop.isRaised, globalStep + 1 < options.epochs * steps { try stopHere() }
            if let every = options.checkpointSteps, state.step % every == 0, state.step < steps {
                countTime()
                try save(shelf.last)
            }
        }
        guard state.lossImages > 0 else {
            throw RunFailure.badInput("data set '\(run.data)' holds no training image that can be read")
        }
        countTime()
        try finishEpoch()
    }

    /// Adds what has gone by to the epoch's seconds.
    private func countTime() {
        let now = ContinuousClock.now
        state.seconds = (state.seconds ?? 0) + (now - pieceStart) / .seconds(1)
        pieceStart = now
    }

    private func finishEpoch() throws {
        let steps = loader.batchesPerEpoch
        let epoch = state.epoch + 1
        let seconds = state.seconds ?? 0
        let path = shelf.path(epoch: epoch, step: steps)
        let report: EvaluationReport?
        do {
            report = try validate(checkpoint: path, seconds: seconds)
        } catch let failure as RunFailure where failure.reason == .preempted {
            try stopHere()
        } catch {
            // The epoch is done, whatever is wrong with the validation.
            try save(shelf.last)
            throw error
        }
        let images = Double(max(state.lossImages, 1))
        try journal.epoch(
            epoch, steps: steps, learningRate: Double(schedule.rate(at: epoch * steps - 1)),
            trainLoss: state.lossSum / images, trainTop1: Double(state.correct) / images, validation: report,
            seconds: seconds, imagesPerSecond: Double(state.lossImages) / max(seconds, 1e-9))

        let isBest = isBest(report)
        if isBest {
            state.bestTop1 = report?.top1
            state.bestLoss = report?.loss
            state.bestEpoch = epoch
        }
        state.beginEpoch(epoch, unreadable: loader.unreadable.all)
        try save(path, check: report?.bfloat16Check)
        try shelf.point(shelf.last, at: path)
        if isBest { try shelf.point(shelf.best, at: path) }
        shelf.prune()
    }

    private func stopHere() throws -> Never {
        if state.step < loader.batchesPerEpoch { countTime() }
        try save(shelf.last)
        throw RunFailure(
            .preempted,
            "stopped in epoch \(state.epoch + 1) after step \(state.step) of \(loader.batchesPerEpoch); "
                + "last.ckpt holds all that is needed to go on (--resume)")
    }

    /// `check` is of the network as it is now.
    private func save(_ path: String, check: BFloat16Check? = nil) throws {
        state.unreadable = loader.unreadable.all
        let step = state.globalStep(loader.batchesPerEpoch)
        let card = ModelCard(
            classNames: model.classNames, preprocessing: try model.preprocessing.json, training: try options.json,
            runState: try state.json, bfloat16Check: check)
        let optimizer = try OptimizerState(
            trainer: trainer, globalStep: step, learningRate: schedule.rate(at: max(step - 1, 0)))
        try ModelFile(network: trainer.network, card: card, optimizer: optimizer).write(to: path)
    }

    func log(_ line: String) throws {
        context.log(line)
        try journal.log(line)
    }
}
