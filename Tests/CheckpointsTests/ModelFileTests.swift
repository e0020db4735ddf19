import Checkpoints
import ShuffleNet
import Support
import TestSupport
import Testing

@Suite struct ModelFileTests {
    @Test(arguments: GoldenFolder.all(.network))
    func theNetworkOfAForeignFileIsFoundByNamesAndShapes(folder: GoldenFolder) throws {
        let golden: GoldenCase = try folder.decodeCase()
        for path in folder.checkpointPaths {
            let file = try ModelFile(path: path)
            #expect(file.configuration.size.rawValue == golden.size)
            #expect(file.configuration.groups.rawValue == golden.groups)
            #expect(file.configuration.classes == golden.classes)
            #expect(file.parameters == (try MindSporeFile.read(path: path)).tensors)
            #expect(file.card == ModelCard())
            #expect(file.optimizer == nil)
        }
    }

    @Test(arguments: ModelSize.allCases, GroupCount.allCases)
    func everyConfigurationIsRecognised(size: ModelSize, groups: GroupCount) throws {
        let configuration = NetworkConfiguration(size: size, groups: groups, classes: 3)
        let file = ModelFile(network: Network(configuration: configuration, seed: 1), card: ModelCard())
        #expect(try ModelFile(file.checkpoint).configuration == configuration)
    }

    @Test func everythingInAModelFileSurvivesBothFormats() throws {
        let file = Self.trained
        try TemporaryFolder.use { folder in
            for name in ["m.ckpt", "m.safetensors"] {
                try file.write(to: "\(folder)/\(name)")
                #expect(try ModelFile(path: "\(folder)/\(name)") == file)
            }
        }
        #expect(file.checkpoint.text("shufflenetd.model_size") == "0.5x")
        #expect(file.checkpoint.text("shufflenetd.groups") == "3")
        #expect(file.checkpoint.text("shufflenetd.classes") == #"["tulip/red","花"]"#)
        #expect(file.checkpoint.text("shufflenetd.bf16_check") == #"{"agreeing":199,"images":200}"#)
    }

    @Test func valuesGoFromANetworkThroughAFileIntoANetwork() throws {
        let network = Network(configuration: Self.configuration, seed: 5)
        let copy = try ModelFile(ModelFile(network: network, card: ModelCard()).checkpoint).makeNetwork()
        for parameter in network.parameters {
            #expect(try copy.values(of: parameter.name) == network.values(of: parameter.name))
        }
    }

    @Test func theOptimiserOfMindSporesTrainingFileIsTakenOver() throws {
        let path = Fixture.path("golden/model_checkpoint/shufflenetv1-2_3.ckpt")
        let file = try ModelFile(path: path)
        let state = try #require(file.optimizer)
        #expect(state.globalStep == 6)
        #expect(state.momentum == 0.9)
        #expect(state.learningRate == 0.001)
        let trainable = file.configuration.parameters.filter(\.isTrainable)
        #expect(state.velocities.map(\.name) == trainable.map(\.name))
        let checkpoint = try MindSporeFile.read(path: path)
        for velocity in state.velocities {
            #expect(velocity.bytes == checkpoint.tensor("moments." + velocity.name)?.bytes)
        }
    }

    @Test func velocitiesGoFromATrainerThroughAFileIntoATrainer() throws {
        let pool = ThreadPool(threads: 1)
        let network = Network(configuration: Self.configuration, seed: 5)
        let trainer = Trainer(network: network, pixels: 32, batch: 1, pool: pool)
        let velocities = try #require(Self.trained.optimizer).velocities
        for velocity in velocities { try trainer.setVelocity(velocity.floats(), of: velocity.name) }
        let state = try OptimizerState(trainer: trainer, globalStep: 7, learningRate: 0.25)
        #expect(state.velocities == velocities)
        let file = ModelFile(network: network, card: ModelCard(), optimizer: state)
        let read = try #require(try ModelFile(file.checkpoint).optimizer)
        #expect(read == state)
        let other = Trainer(network: network, pixels: 32, batch: 1, pool: pool)
        try read.restore(into: other)
        for velocity in velocities {
            #expect(try other.velocity(of: velocity.name) == velocity.floats())
        }
    }

    @Test func halfPrecisionWeightsOfAForeignFileAreWidened() throws {
        let file = ModelFile(network: Network(configuration: Self.configuration, seed: 2), card: ModelCard())
        let halves = try file.parameters.map {
            NamedTensor(name: $0.name, shape: $0.shape, elements: try $0.floats().map(Float16.init))
        }
        let read = try ModelFile(Checkpoint(tensors: halves))
        for (half, parameter) in zip(halves, read.parameters) {
            #expect(parameter.elementType == .float32)
            #expect(try parameter.floats() == half.floats())
        }
    }

    @Test func foreignEntriesUnderOtherNamesAreLeftAlone() throws {
        var checkpoint = Self.trained.checkpoint
        checkpoint.append(NamedTensor(name: "epoch_num", shape: [], elements: [Int64(3)]))
        #expect(try ModelFile(checkpoint) == Self.trained)
    }

    @Test func aModelFileThatEndsBetweenTwoEntriesThrows() throws {
        var plain = Self.trained
        plain.optimizer = nil
        for file in [Self.trained, plain] {
            var checkpoint = Checkpoint()
            for entry in file.checkpoint.entries {
                #expect(throws: CheckpointError.self) { try ModelFile(checkpoint) }
                checkpoint.append(entry)
            }
            #expect(try ModelFile(checkpoint) == file)
        }
    }

    /// A trained network's file, small as they come.
    static let configuration = NetworkConfiguration(size: .half, groups: .three, classes: 2)
    static let trained: ModelFile = {
        let network = Network(configuration: configuration, seed: 3)
        let velocities = network.parameters.filter(\.isTrainable).enumerated().map { index, parameter in
            NamedTensor(
                name: parameter.name, shape: parameter.shape,
                elements: [Float](repeating: Float(index) / 7, count: parameter.count))
        }
        return ModelFile(
            network: network,
            card: ModelCard(
                classNames: ["tulip/red", "花"], preprocessing: #"{"pixels":224}"#, training: "{}",
                runState: #"{"epoch":1}"#, bfloat16Check: BFloat16Check(images: 200, agreeing: 199)),
            optimizer: OptimizerState(globalStep: 391, learningRate: 0.05, momentum: 0.9, velocities: velocities))
    }()
}
