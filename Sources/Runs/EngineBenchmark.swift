import Checkpoints
import Foundation
import Images
import KernelSets
public import ShuffleNet
import Support

/// Times whole batches through the engine. Each figure is the median of seven rounds after two to warm up, as the
/// usual scripts for other engines take it; short rounds go on for a second, since the system takes some time to give
/// each new thread a CPU of its own.
public struct EngineBenchmark: Sendable {
    /// One line of the benchmark's output.
    public struct Figure: Codable, Sendable {
        public var what: String
        public var batch: Int
        public var precision: Precision
        public var imagesPerSecond: Double
        public var instructionSet = InstructionSet.current.rawValue

        private enum CodingKeys: String, CodingKey {
            case what, batch, precision
            case imagesPerSecond = "images_per_s"
            case instructionSet = "instruction_set"
        }
    }

    private static let rounds = 7
    private static let shortest = Duration.seconds(1)
    private static let warmUps = 2
    private static let shortestWarmUp = Duration.milliseconds(200)

    private let configuration: NetworkConfiguration
    private let batch: Int
    private let pixels: Int
    private let threads: Int
    private let precision: Precision

    public init(
        configuration: NetworkConfiguration, batch: Int, pixels: Int, threads: Int, precision: Precision = .float32
    ) {
        self.configuration = configuration
        self.batch = batch
        self.pixels = pixels
        self.threads = threads
        self.precision = precision
    }

    public func inference() -> Figure {
        let session = InferenceSession(
            network: Network(configuration: configuration, seed: 0), pixels: pixels, maximumBatch: batch,
            pool: ThreadPool(threads: threads), precision: precision)
        let images = noise()
        let logits = AlignedBuffer<Float>(count: batch * configuration.classes)
        return figure("inference", images: batch) {
            session.run(images: images.pointer, count: batch, logits: logits.pointer)
        }
    }

    public func training() -> Figure {
        let trainer = Trainer(
            network: Network(configuration: configuration, seed: 0), pixels: pixels, batch: batch,
            pool: ThreadPool(threads: threads), precision: precision)
        let images = noise()
        let labels = AlignedBuffer((0..<batch).map { Int32($0 % configuration.classes) })
        return figure("training", images: batch) {
            _ = trainer.step(images: images.pointer, labels: labels.pointer, count: batch, learningRate: 0.01)
        }
    }

    /// The whole road of `classify`, with a network of random weights: decode, resize, network, CSV.
    public func pipeline(images folder: String) throws -> Figure {
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("shufflenetd-bench-\(UUID())").path
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let model = scratch + "/random.ckpt"
        var file = try TrainedModel.random(configuration: configuration, pixels: pixels)
        // Its classes mean nothing in either precision; the speed is that of a network that may have both.
        file.card.bfloat16Check = BFloat16Check(images: 1, agreeing: 1)
        try file.write(to: model)

        var options = ClassificationOptions()
        options.batch = batch
        options.precision = precision
        let run = ClassificationRun(options: options, model: model, images: folder, out: scratch + "/predictions.csv")
        let context = RunContext(threads: threads, isolation: .ownProgram) { _ in }
        let files = try run.execute(in: context).figures["files"] ?? 0
        return try figure("pipeline", images: Int(files)) { _ = try run.execute(in: context) }
    }

    private func noise() -> AlignedBuffer<Float> {
        var generator = SeededGenerator(seed: 0)
        let images = AlignedBuffer<Float>(count: batch * 3 * pixels * pixels)
        for index in 0..<images.count { images.pointer[index] = 4 * generator.nextUnit() - 2 }
        return images
    }

    private func figure(_ what: String, images: Int, round: () throws -> Void) rethrows -> Figure {
        _ = try Self.times(Self.warmUps, Self.shortestWarmUp, round)
        let seconds = try Self.times(Self.rounds, Self.shortest, round).map { $0 / .seconds(1) }
        return Figure(
            what: what, batch: batch, precision: precision,
            imagesPerSecond: Double(images) / seconds.sorted()[seconds.count / 2])
    }

    /// How long each of the rounds took; they end when there were so many and they took so long in all.
    private static func times(_ count: Int, _ whole: Duration, _ round: () throws -> Void) rethrows -> [Duration] {
        var times: [Duration] = []
        let end = ContinuousClock.now + whole
        while times.count < count || ContinuousClock.now < end {
            let start = ContinuousClock.now
            try round()
            times.append(ContinuousClock.now - start)
        }
        return times
    }
}
