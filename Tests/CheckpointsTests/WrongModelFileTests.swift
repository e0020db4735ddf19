import Checkpoints
import ShuffleNet
import TestSupport
import Testing

@Suite struct WrongModelFileTests {
    static let full = NetworkConfiguration(size: .full, groups: .three, classes: 10)

    @Test func aClassifierForOtherClassesIsNamed() throws {
        let file = ModelFile(
            network: Network(configuration: NetworkConfiguration(size: .full, groups: .three, classes: 5), seed: 1),
            card: ModelCard())
        let network = Network(configuration: Self.full, seed: 1)
        let wanted = "tensor 'classifier.weight' has shape [5, 960], the network wants [10, 960]"
        #expect(throws: CheckpointError(wanted, file: "m.ckpt")) { try file.load(into: network, file: "m.ckpt") }
        #expect(CheckpointError(wanted, file: "m.ckpt").description == "could not read checkpoint 'm.ckpt': " + wanted)
    }

    @Test func fineTuningKeepsTheNewClassifierAndSaysSo() throws {
        let file = ModelFileTests.trained
        let network = Network(
            configuration: NetworkConfiguration(size: .half, groups: .three, classes: 5), seed: 77)
        let fresh = try network.values(of: "classifier.weight")
        let dropped = try file.loadForFineTuning(into: network)
        #expect(dropped?.foundClasses == 2 && dropped?.wantedClasses == 5)
        #expect(
            try #require(dropped).description
                == "the classifier for 2 classes was dropped, a new one for 5 is trained")
        #expect(try network.values(of: "classifier.weight") == fresh)
        for parameter in file.parameters where !parameter.name.hasPrefix("classifier.") {
            #expect(try network.values(of: parameter.name) == parameter.floats())
        }
    }

    @Test func fineTuningOnTheSameClassCountLoadsEverything() throws {
        let network = Network(configuration: ModelFileTests.configuration, seed: 77)
        #expect(try ModelFileTests.trained.loadForFineTuning(into: network) == nil)
        var named = ModelFileTests.trained
        named.card.classNames = (0..<named.configuration.classes).map { "class \($0)" }
        let names = try #require(named.card.classNames)
        #expect(try named.loadForFineTuning(into: network, classNames: names) == nil)
        let dropped = try named.loadForFineTuning(into: network, classNames: names.reversed())
        #expect(dropped.map { "\($0)" }?.contains("of other classes, was dropped") == true)
        let classifier = try #require(ModelFileTests.trained.parameters.first { $0.name == "classifier.bias" })
        #expect(try network.values(of: "classifier.bias") == classifier.floats())
    }

    @Test func fineTuningAnotherSizeThrows() throws {
        let network = Network(configuration: Self.full, seed: 77)
        let wanted = "tensor 'first_conv.0.weight' has shape [12, 3, 3, 3], the network wants [24, 3, 3, 3]"
        #expect(throws: CheckpointError(wanted)) { try ModelFileTests.trained.loadForFineTuning(into: network) }
    }

    @Test func whatIsNoShuffleNetIsCalledSo() throws {
        #expect(
            throws: CheckpointError(
                "it holds no whole ShuffleNet V1: there is no tensor 'first_conv.0.weight'")
        ) { try ModelFile(SmallCheckpoint.varied) }
        try expectProblem(
            "it holds no ShuffleNet V1: 'first_conv.0.weight' has shape [12], 'classifier.weight' has shape [2, 480], "
                + "wanted were four and two extents"
        ) {
            $0.name == "first_conv.0.weight"
                ? NamedTensor(name: $0.name, shape: [12], elements: [Float](repeating: 0, count: 12)) : $0
        }
    }

    @Test func oneWrongTensorIsNamedWithTheNetworkThatIsClosest() throws {
        let name = "features.3.branch_main_1.1.gamma"
        try expectProblem("tensor '\(name)' has shape [1], ShuffleNet V1 0.5x with 3 groups wants [30]") {
            $0.name == name ? NamedTensor(name: name, shape: [1], elements: [Float(1)]) : $0
        }
        try expectProblem("there is no tensor '\(name)': the file is of another network, or truncated") {
            $0.name == name ? nil : $0
        }
        try expectProblem("tensor '\(name)' holds int32 values, wanted were floating-point values") {
            $0.name == name ? NamedTensor(name: name, shape: [30], elements: [Int32](repeating: 1, count: 30)) : $0
        }
        try expectProblem(
            "tensor '\(name)' holds nan at position 0, wanted were finite numbers: did its training diverge?"
        ) {
            $0.name == name
                ? NamedTensor(name: name, shape: [30], elements: [Float](repeating: .nan, count: 30)) : $0
        }
    }

    @Test func aSuperfluousTensorOfTheNetworkIsRefused() {
        var checkpoint = ModelFileTests.trained.checkpoint
        checkpoint.append(NamedTensor(name: "features.16.branch_main_1.1.gamma", shape: [1], elements: [Float(1)]))
        let wanted =
            "tensor 'features.16.branch_main_1.1.gamma' does not belong to ShuffleNet V1 0.5x with 3 groups, which "
            + "everything else fits"
        #expect(throws: CheckpointError(wanted)) { try ModelFile(checkpoint) }
    }

    @Test(arguments: [
        (#"["a"]"#, "it names 1 classes, its classifier has 2 outputs"),
        ("[1, 2]", "the text 'shufflenetd.classes' is no JSON array of class names: "),
        ("{", "the text 'shufflenetd.classes' is no JSON array of class names: "),
    ])
    func classNamesThatDoNotFitAreRefused(text: String, problem: String) throws {
        var file = ModelFileTests.trained
        file.card.classNames = nil
        var checkpoint = file.checkpoint
        checkpoint.append(text, named: "shufflenetd.classes")
        let error = try #require(#expect(throws: CheckpointError.self) { try ModelFile(checkpoint) })
        #expect(error.problem.hasPrefix(problem))
    }

    @Test(arguments: [#"{"images": 3}"#, "[]", "{", #"{"images": 1.5, "agreeing": 1}"#])
    func aCheckOfBFloat16ThatIsNoneIsRefused(text: String) throws {
        var file = ModelFileTests.trained
        file.card.bfloat16Check = nil
        var checkpoint = file.checkpoint
        checkpoint.append(text, named: "shufflenetd.bf16_check")
        let error = try #require(#expect(throws: CheckpointError.self) { try ModelFile(checkpoint) })
        #expect(error.problem.hasPrefix("the text 'shufflenetd.bf16_check' is no JSON object of images and agreeing: "))
    }

    @Test(arguments: ["moments.classifier.bias", "global_step"])
    func aPartOfAnAnnouncedOptimiserStateIsRefusedAndAForeignOneIgnored(missing: String) throws {
        var ours = Checkpoint()
        for entry in ModelFileTests.trained.checkpoint.entries where entry.name != missing { ours.append(entry) }
        let wanted = "there is no tensor '\(missing)': the file is of another network, or truncated"
        #expect(throws: CheckpointError(wanted)) { try ModelFile(ours) }
        #expect(try ModelFile(Checkpoint(tensors: ours.tensors)).optimizer == nil)
    }

    /// Reads the trained file with its tensors changed by `edit`, and expects this problem.
    private func expectProblem(_ problem: String, edit: (NamedTensor) -> NamedTensor?) throws {
        let tensors = ModelFileTests.trained.checkpoint.tensors.compactMap(edit)
        #expect(throws: CheckpointError(problem)) { try ModelFile(Checkpoint(tensors: tensors)) }
    }
}
