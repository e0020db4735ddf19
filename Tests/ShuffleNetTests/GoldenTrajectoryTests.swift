import Checkpoints
import Foundation
import Images
import KernelSets
import ShuffleNet
import Support
import TestSupport
import Testing

/// A training on real records, from pixels to loss curve: six steps on the fixture's records, all of them when
/// CIFAR10_DIR names the folder with `data_batch_1.bin`.
@Suite(.oneAtATime) struct GoldenTrajectoryTests {
    static let pixels = 224

    @Test(
        "Training on CIFAR-10 follows the framework's loss curve", arguments: GoldenFolder.all(.trajectory),
        InstructionSet.underTest)
    func trajectoryAgrees(_ folder: GoldenFolder, _ set: InstructionSet) throws {
        let golden: GoldenCase = try folder.decodeCase()
        let network = try Golden.network(folder, golden, checkpoint: "initial.ckpt")
        let records = try Records()
        let pool = ThreadPool(threads: 2)
        let trainer = Trainer(
            network: network, pixels: Self.pixels, batch: golden.batch, pool: pool,
            optimizer: MomentumSGD(
                momentum: Float(golden.optimizer.momentum), weightDecay: Float(golden.optimizer.weightDecay)),
            loss: LossOptions(labelSmoothing: Float(golden.labelSmoothing)), instructionSet: set)
        let steps = min(golden.losses.count, records.count / golden.batch)
        #expect(steps >= 6)
        for step in 0..<steps {
            let batch = records.batch(step * golden.batch..<(step + 1) * golden.batch)
            let result = trainer.step(
                images: batch.images, labels: batch.labels, count: golden.batch,
                learningRate: Float(golden.optimizer.lr))
            let difference = abs(Double(result.loss) - golden.losses[step])
            #expect(difference <= (step < 6 ? 2e-3 : 3e-2), "step \(step + 1)")
        }

        guard let range = golden.evaluationRecords, range.upperBound <= records.count, steps == golden.losses.count
        else { return }
        let wanted = try #require(try folder.tensors()["eval_logits"]).floats()
        let batch = records.batch(range)
        let session = InferenceSession(
            network: network, pixels: Self.pixels, maximumBatch: range.count, pool: pool, instructionSet: set)
        var logits = [Float](repeating: 0, count: range.count * golden.classes)
        session.run(images: batch.images, count: range.count, logits: &logits)
        #expect(Difference(logits, wanted).largest <= 3e-2)
    }
}

/// Records of CIFAR-10's binary version in file order, resized and normalised as the source document does.
private struct Records {
    private static let recordBytes = 3073
    private let bytes: Data

    var count: Int { bytes.count / Self.recordBytes }

    init() throws {
        let path =
            ProcessInfo.processInfo.environment["CIFAR10_DIR"].map { $0 + "/data_batch_1.bin" }
            ?? Fixture.path("engine/cifar10_first_96.bin")
        bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    }

    func batch(_ range: Range<Int>) -> (images: [Float], labels: [Int32]) {
        let pixels = GoldenTrajectoryTests.pixels
        let preprocessing = Preprocessing.cifar10(pixels: pixels)
        let writer = SampleWriter(preprocessing)
        let size = preprocessing.elementsPerImage
        var colours = [UInt8](repeating: 0, count: size)
        var images = [Float](repeating: 0, count: range.count * size)
        var labels: [Int32] = []
        for (position, record) in range.enumerated() {
            let start = record * Self.recordBytes
            labels.append(Int32(bytes[start]))
            var rgb: [UInt8] = []
            for pixel in 0..<1024 {
                for channel in 0..<3 { rgb.append(bytes[start + 1 + channel * 1024 + pixel]) }
            }
            let image = RGBImage(width: 32, height: 32, rgb: rgb)
            writer.write(image, fullSize: (32, 32), into: &colours)
            images.withUnsafeMutableBufferPointer { planes in
                colours.withUnsafeBufferPointer { colours in
                    NormalizedImages(colours.baseAddress!, preprocessing)
                        .write(rows: 0..<pixels, of: 0, into: planes.baseAddress! + position * size)
                }
            }
        }
        return (images, labels)
    }
}
