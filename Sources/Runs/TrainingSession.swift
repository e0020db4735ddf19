import Checkpoints
import Foundation
import Images
import ShuffleNet
import Support

/// The moving parts of one training run.
final class TrainingSession {
    private let run: TrainingRun
    private let options: TrainingOptions
    private let context: RunContext
    private let dataset: OpenedDataset
    private let model: TrainedModel
    private let trainer: Trainer
    private let loader: BatchLoader
    private let validation: EvaluationPass?
    /// Over training records, where validation records are few.
    private let further: EvaluationPass?
    private let schedule: LearningRateSchedule
    private let shelf: CheckpointShelf
    private let journal: TrainingJournal
    /// Records of all parts of the data set.
    private let wholeCount: Int
    private var state: TrainingState
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
                batchSize: options.batch, seed: UInt64(options.seed), dropsRemainder: options.dropRemainder,
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

    /// More right answers than in any epoch before, or as many with a smaller loss. Without validation records the newest
    /// is the best, and one whose outputs were no numbers is not.
    private func isBest(_ report: EvaluationReport?) -> Bool {
        guard let report else { return validation == nil }
        guard let top1 = state.bestTop1, report.top1 <= top1 else { return true }
        return report.top1 == top1 && state.bestLoss.map { report.loss < $0 } ?? false
    }

    /// Measures the network, and tells the epoch's end to the log. Nil without validation records, and for outputs that are no
    /// numbers.
    private func validate(checkpoint: String, seconds: Double) throws -> EvaluationReport? {
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

    private func announce(training: any Dataset, resumed: Bool) throws {
        let held = dataset.isDividedByHash ? ", held back by hash" : ""
        let count = dataset.validation?.limited(to: options.validationRecords).count
        try log(
            "\(dataset.kind.rawValue) '\(run.data)': \(training.count) training records, "
                + (count.map { "\($0) for validation\(held)" } ?? "none for validation")
                + ", \(dataset.classNames.count) classes")
        if !dataset.ignored.isEmpty {
            let names = dataset.ignored.prefix(5).map(SafeText.escaped).joined(separator: ", ")
            try log("\(dataset.ignored.count) files are no records: \(names)")
        }
        try log(
            "ShuffleNet V1 \(options.modelSize.rawValue), \(options.groups) groups, \(options.pixels) px, "
                + "batch \(options.batch), \(options.epochs) epochs, seed \(options.seed), \(options.precision.rawValue)"
        )
        if let validation = dataset.validation {
            let seen = Set((0..<validation.count).map { validation.label(at: $0) })
            let without = dataset.classNames.indices.filter { !seen.contains($0) }.map { dataset.classNames[$0] }
            if !without.isEmpty {
                let names = without.prefix(5).map(SafeText.escaped).joined(separator: ", ")
                try log("no validation records are of \(without.count) of the classes: \(names)")
            }
        }
        options.precision.announce(in: context)
        let remainder = training.count % options.batch
        if !options.dropRemainder, training.count > options.batch, (1...max(options.batch / 8, 1)).contains(remainder) {
            try log(
                "an epoch's last batch has \(remainder) of \(options.batch) images, whose statistics are of these alone and "
                    + "can spoil a step; drop_remainder leaves it out, another batch size divides better")
        }
        if resumed { try log("resumed after epoch \(state.epoch), step \(state.step)") }
    }

    private func log(_ line: String) throws {
        context.log(line)
        try journal.log(line)
    }

    private static func resumePoint(
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
    private static func takeWeights(from path: String, into network: Network, classNames: [String]) throws -> String {
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

extension TrainingSession {
    /// The run's figures; compared with the incumbent's when there is one.
    func result() throws -> RunResult {
        var figures: [String: Double] = ["epochs": Double(options.epochs)]
        var files = ["last": "last.ckpt", "results": "results.csv", "log": "train.log"]
        var summary = "trained \(options.epochs) epochs"
        guard let epoch = state.bestEpoch else {
            throw RunFailure.badInput(
                "after no epoch the network gave finite numbers for the validation records: the training diverged; wanted a "
                    + "lower learning rate than \(options.learningRate)")
        }
        files["best"] = "best.ckpt"
        if let best = state.bestTop1 {
            figures["top_1"] = best
            figures["best_epoch"] = Double(epoch)
            summary += "; best validation top-1 \(best) in epoch \(epoch)"
        }
        var replaced: String?
        // Looked for only now: a night's training ago it may have been another one, or none.
        if let path = run.incumbent, let digest = try ModelDigest.of(path) {
            let verdict = try compare(with: Incumbent(path: path))
            figures["incumbent_top_1"] = verdict.top1
            if verdict.isPublished { files["publish"] = "best.ckpt" }
            summary += "; \(verdict.sentence)"
            try log(verdict.sentence)
            replaced = digest
        } else {
            files["publish"] = "best.ckpt"
        }
        return RunResult(figures: figures, files: files, summary: summary, replaces: replaced)
    }

    /// Measures the model in service on this run's validation records.
    private func compare(with incumbent: Incumbent) throws -> Incumbent.Verdict {
        // Each model sees the pictures as it was trained to.
        var pictures = options.pictures
        pictures.orientation = nil
        let records = dataset.validation?.limited(to: options.validationRecords)
        let pass = records.map { records in
            { (model: TrainedModel) in
                EvaluationPass(
                    model: model, dataset: records, batch: min(self.options.batch, 64),
                    labelSmoothing: self.options.labelSmoothing, unreadableLimit: self.options.unreadableLimit,
                    wholeCount: self.wholeCount, pictures: pictures, isolation: self.context.isolation,
                    pool: ThreadPool(threads: self.context.threads))
            }
        }
        return try incumbent.compare(
            top1: state.bestTop1, classNames: dataset.classNames, context: context, pass: pass)
    }
}
