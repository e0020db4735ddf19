import Checkpoints
import KernelSets
import ShuffleNet
import Support
import TestSupport
import Testing

/// Whole networks against the reference framework, for every network folder in the fixtures and in GOLDEN_DIR.
@Suite(.oneAtATime) struct GoldenNetworkTests {
    static let folders = GoldenFolder.all(.network)

    /// A folder's network as it begins, and what it is shown.
    private struct Setting {
        let golden: GoldenCase
        let tensors: [String: NamedTensor]
        let network: Network
        let images: [Float]
        let count: Int
        let pixels: Int

        init(_ folder: GoldenFolder) throws {
            golden = try folder.decodeCase()
            tensors = try folder.tensors()
            network = try Golden.network(folder, golden, checkpoint: "initial.ckpt")
            let input = try #require(tensors["input"])
            images = try input.floats()
            count = input.shape[0]
            pixels = input.shape[3]
        }

        func session(_ precision: Precision, _ set: InstructionSet) -> InferenceSession {
            InferenceSession(
                network: network, pixels: pixels, maximumBatch: count, pool: ThreadPool(threads: 2),
                precision: precision, instructionSet: set)
        }

        /// How far the session's logits are from the framework's.
        func logitsDifference(_ session: InferenceSession) throws -> Difference {
            var logits = [Float](repeating: 0, count: count * golden.classes)
            session.run(images: images, count: count, logits: &logits)
            return Difference(logits, try #require(tensors["eval_logits"]).floats())
        }

        func labels() throws -> [Int32] { try #require(tensors["labels"]).elements() }

        func trainer(_ precision: Precision, _ set: InstructionSet) -> Trainer {
            Trainer(
                network: network, pixels: pixels, batch: count, pool: ThreadPool(threads: 2),
                optimizer: MomentumSGD(
                    momentum: Float(golden.optimizer.momentum), weightDecay: Float(golden.optimizer.weightDecay)),
                loss: LossOptions(labelSmoothing: Float(golden.labelSmoothing)), precision: precision,
                instructionSet: set)
        }
    }

    @Test("Names, shapes, order and trainable parameters are the framework's", arguments: folders)
    func parametersMatch(_ folder: GoldenFolder) throws {
        let golden: GoldenCase = try folder.decodeCase()
        let network = try Golden.network(folder, golden, checkpoint: "initial.ckpt")
        #expect(
            network.parameters.map { GoldenCase.Parameter(name: $0.name, shape: $0.shape) } == golden.parameters)
        #expect(network.parameters.filter(\.isTrainable).map(\.name) == golden.trainable)
    }

    @Test(
        "Logits and activations of the evaluation agree within 2e-5", arguments: folders,
        InstructionSet.underTest)
    func evaluationAgrees(_ folder: GoldenFolder, _ set: InstructionSet) throws {
        let setting = try Setting(folder)
        let session = setting.session(.float32, set)
        #expect(try setting.logitsDifference(session).largest <= 2e-5)

        var seen = 0
        let activations = session.activations(image: setting.images)
        for (name, tensor) in setting.tensors where name.hasPrefix("eval_act.") {
            let layer = String(name.dropFirst("eval_act.".count))
            let activation = try #require(
                layer == "features" ? activations.last : activations.first { $0.name == layer },
                "no activation is called '\(layer)'")
            #expect([1] + activation.shape == tensor.shape)
            let difference = Difference(activation.values, try tensor.floats())
            #expect(difference.largest <= 2e-5, "\(layer)")
            seen += 1
        }
        #expect(seen > 0)
    }

    /// Rounding to eight bits in each of fifty layers: five units in the last place of the largest logit.
    static let halfPrecisionBound = 0.02

    @Test(
        "Logits in bfloat16 stay within 0.02 of the largest logit", arguments: folders,
        InstructionSet.underTest)
    func halfPrecisionAgrees(_ folder: GoldenFolder, _ set: InstructionSet) throws {
        let setting = try Setting(folder)
        let difference = try setting.logitsDifference(setting.session(.bfloat16, set))
        #expect(difference.largest <= Self.halfPrecisionBound * difference.scale)
        // It is another arithmetic, and shows.
        #expect(difference.largest > 0)
    }

    @Test(
        "The first training step in bfloat16 is that of float32 but for rounding", arguments: folders,
        InstructionSet.underTest)
    func halfPrecisionTrains(_ folder: GoldenFolder, _ set: InstructionSet) throws {
        let setting = try Setting(folder)
        let (golden, tensors, network) = (setting.golden, setting.tensors, setting.network)
        let trainer = setting.trainer(.bfloat16, set)
        let result = trainer.step(
            images: setting.images, labels: try setting.labels(), count: setting.count,
            learningRate: Float(golden.optimizer.lr))
        #expect(abs(Double(result.loss) - golden.losses[0]) <= 0.02)
        // Rounding flips rectifiers, and four images of noise do not average that out: units alone agree within 20 %.
        var all = Difference()
        for name in golden.trainable {
            let wanted = try #require(tensors["grad.\(name)"]).floats()
            all.add(Difference(try trainer.gradient(of: name), wanted))
        }
        #expect(all.relativeNorm <= 0.6)
        for (name, tensor) in tensors where name.hasPrefix("after_step1.") {
            let parameter = String(name.dropFirst("after_step1.".count))
            let difference = Difference(try network.values(of: parameter), try tensor.floats())
            #expect(difference.largest <= 2e-2 * max(difference.scale, 1), "\(parameter)")
        }
    }

    @Test(
        "The first training step agrees: loss, running statistics, every gradient; then the losses", arguments: folders,
        InstructionSet.underTest)
    func trainingAgrees(_ folder: GoldenFolder, _ set: InstructionSet) throws {
        let setting = try Setting(folder)
        let (golden, tensors, network) = (setting.golden, setting.tensors, setting.network)
        let (images, labels) = (setting.images, try setting.labels())
        let trainer = setting.trainer(.float32, set)
        let rate = Float(golden.optimizer.lr)

        let first = trainer.step(images: images, labels: labels, count: labels.count, learningRate: rate)
        #expect(abs(Double(first.loss) - golden.losses[0]) <= 1e-5)

        var all = Difference()
        for name in golden.trainable where !name.hasSuffix("branch_main_2.1.beta") {
            let wanted = try #require(tensors["grad.\(name)"], "no gradient of \(name)").floats()
            let difference = Difference(try trainer.gradient(of: name), wanted)
            #expect(difference.relativeNorm <= 3e-2, "\(name)")
            all.add(difference)
        }
        #expect(all.relativeNorm <= 1e-2)
        // The next norm takes any shift out: what the framework has here is rounding.
        for name in golden.trainable where name.hasSuffix("branch_main_2.1.beta") {
            #expect(try trainer.gradient(of: name).allSatisfy { $0 == 0 })
        }

        var statistics = 0
        for (name, tensor) in tensors where name.hasPrefix("after_step1.") {
            let parameter = String(name.dropFirst("after_step1.".count))
            let difference = Difference(try network.values(of: parameter), try tensor.floats())
            #expect(difference.largest <= 1e-5 * max(difference.scale, 1), "\(parameter)")
            statistics += 1
        }
        #expect(statistics == golden.parameters.count - golden.trainable.count)

        // Two updates amplify rounding: weights changed by 1e-7 move the second loss by 5e-4 and the third by 1.4e-2.
        for (index, wanted) in golden.losses.enumerated().dropFirst() {
            let result = trainer.step(images: images, labels: labels, count: labels.count, learningRate: rate)
            #expect(abs(Double(result.loss) - wanted) <= (index == 1 ? 2e-3 : 3e-2), "step \(index + 1)")
        }
    }
}
