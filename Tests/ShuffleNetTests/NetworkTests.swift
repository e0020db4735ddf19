import KernelSets
import ShuffleNet
import Support
import TestSupport
import Testing

@Suite(.oneAtATime) struct NetworkTests {
    static let configurations = GroupCount.allCases.flatMap { groups in
        ModelSize.allCases.map { NetworkConfiguration(size: $0, groups: groups, classes: 10) }
    }

    /// Millions of trainable parameters with ten classes, from the source document's code.
    static let counts: [GroupCount: [ModelSize: Double]] = [
        .three: [.half: 0.242, .full: 0.914, .oneAndHalf: 2.016, .double: 3.549],
        .eight: [.half: 0.250, .full: 0.913, .oneAndHalf: 1.988, .double: 3.480],
    ]

    static func images(_ count: Int, _ pixels: Int, seed: UInt64 = 5) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count * 3 * pixels * pixels).map { _ in 4 * generator.nextUnit() - 2 }
    }

    @Test("Parameter counts are the document's", arguments: configurations)
    func parameterCounts(_ configuration: NetworkConfiguration) throws {
        let wanted = try #require(Self.counts[configuration.groups]?[configuration.size])
        #expect(abs(Double(configuration.trainableCount) / 1e6 - wanted) < 0.0005)
    }

    @Test(
        "Every configuration trains and classifies, at even and odd sizes", arguments: configurations,
        InstructionSet.underTest)
    func everyConfigurationRuns(_ configuration: NetworkConfiguration, _ set: InstructionSet) throws {
        for pixels in [32, 33, 96, 97] { try run(configuration, pixels, set) }
    }

    private func run(_ configuration: NetworkConfiguration, _ pixels: Int, _ set: InstructionSet) throws {
        let network = Network(configuration: configuration, seed: 3)
        let pool = ThreadPool(threads: 2)
        let trainer = Trainer(network: network, pixels: pixels, batch: 8, pool: pool, instructionSet: set)
        let images = Self.images(8, pixels)
        let labels: [Int32] = [1, 0, 9, 2, 8, 3, 7, 4]
        let before = try network.values(of: "first_conv.0.weight")
        // A whole batch, then a smaller last one.
        let first = trainer.step(images: images, labels: labels, count: 8, learningRate: 0.001)
        let last = trainer.step(images: images, labels: labels, count: 7, learningRate: 0.001)
        #expect(first.loss.isFinite && first.loss > 1 && first.loss < 10)
        #expect(last.loss.isFinite && last.correct <= 7)
        #expect(try network.values(of: "first_conv.0.weight") != before)
        for parameter in network.parameters {
            let broken = try network.values(of: parameter.name).filter { !$0.isFinite }
            #expect(broken.isEmpty, "\(parameter.name)")
        }

        let session = InferenceSession(
            network: network, pixels: pixels, maximumBatch: 8, pool: pool, instructionSet: set)
        var logits = [Float](repeating: .nan, count: 80)
        session.run(images: images, count: 8, logits: &logits)
        let broken = logits.filter { !$0.isFinite }
        #expect(broken.isEmpty)
    }

    @Test(
        "An image's logits do not depend on its neighbours in the batch", arguments: [32, 64, 97, 224],
        InstructionSet.underTest)
    func imagesAreIndependent(_ pixels: Int, _ set: InstructionSet) {
        let network = Network(
            configuration: NetworkConfiguration(size: .half, groups: .three, classes: 4), seed: 1)
        let count = pixels == 32 ? 70 : 11
        let session = InferenceSession(
            network: network, pixels: pixels, maximumBatch: count, pool: ThreadPool(threads: 2), instructionSet: set)
        let images = Self.images(count, pixels)
        var together = [Float](repeating: .nan, count: 4 * count)
        session.run(images: images, count: count, logits: &together)
        for image in [0, 1, count / 2, count - 1] {
            var alone = [Float](repeating: .nan, count: 4)
            images.withUnsafeBufferPointer {
                session.run(images: $0.baseAddress! + image * 3 * pixels * pixels, count: 1, logits: &alone)
            }
            #expect(alone == Array(together[4 * image..<4 * image + 4]), "image \(image)")
        }
    }

    @Test("Images that are read a few rows at a time give what images in memory give", arguments: [1, 3])
    func rowwiseInput(threads: Int) {
        let pixels = 97
        let configuration = NetworkConfiguration(size: .half, groups: .three, classes: 4)
        let pool = ThreadPool(threads: threads)
        let images = Self.images(5, pixels)
        images.withUnsafeBufferPointer { images in
            let planar = images.baseAddress!
            let rowwise = RowwiseImages(planar: planar, pixels: pixels)
            for count in [1, 5] {
                let session = InferenceSession(
                    network: Network(configuration: configuration, seed: 1), pixels: pixels, maximumBatch: 5, pool: pool
                )
                var (wanted, found) = ([Float](repeating: .nan, count: 20), [Float](repeating: .nan, count: 20))
                session.run(images: planar, count: count, logits: &wanted)
                session.run(images: rowwise, count: count, logits: &found)
                #expect(found.map(\.bitPattern) == wanted.map(\.bitPattern))
            }
            let losses = [false, true].map { isRowwise in
                let trainer = Trainer(
                    network: Network(configuration: configuration, seed: 1), pixels: pixels, batch: 5, pool: pool)
                return (0..<2).map { _ in
                    isRowwise
                        ? trainer.step(images: rowwise, labels: [0, 1, 2, 3, 0], count: 5, learningRate: 0.01).loss
                        : trainer.step(images: planar, labels: [0, 1, 2, 3, 0], count: 5, learningRate: 0.01).loss
                }
            }
            #expect(losses[0] == losses[1])
        }
    }

    @Test("The same seed gives the same network, another seed another")
    func seeds() throws {
        let configuration = NetworkConfiguration(size: .half, groups: .eight, classes: 3)
        let name = "features.3.branch_main_1.0.convs.5.weight"
        let one = try Network(configuration: configuration, seed: 1).values(of: name)
        #expect(try Network(configuration: configuration, seed: 1).values(of: name) == one)
        #expect(try Network(configuration: configuration, seed: 2).values(of: name) != one)
    }

    @Test("Initial weights fill their bounds: Xavier uniform for each group, U(±1/√inputs) for the dense layer")
    func initialisers() throws {
        let network = Network(
            configuration: NetworkConfiguration(size: .full, groups: .three, classes: 100), seed: 9)
        for parameter in network.parameters {
            let values = try network.values(of: parameter.name)
            let largest = values.map(abs).max() ?? 0
            switch parameter.kind {
            case .convolution, .denseWeight, .denseBias:
                let shape = parameter.shape
                let bound =
                    parameter.kind == .convolution
                    ? (6 / Float((shape[0] + shape[1]) * shape[2] * shape[3])).squareRoot()
                    : 1 / Float(960).squareRoot()
                #expect(largest <= bound && largest > 0.9 * bound, "\(parameter.name)")
                let mean = values.reduce(0, +) / Float(values.count)
                #expect(abs(mean) < bound * 3 / Float(values.count).squareRoot(), "\(parameter.name)")
            case .gamma, .movingVariance: #expect(Set(values) == [1])
            case .beta, .movingMean: #expect(Set(values) == [0])
            }
        }
    }

    @Test("Unknown names and wrong counts are refused with a sentence")
    func refusals() {
        let network = Network(
            configuration: NetworkConfiguration(size: .half, groups: .three, classes: 2), seed: 0)
        #expect(throws: NetworkError.unknownParameter("nothing")) { try network.values(of: "nothing") }
        #expect(throws: NetworkError.wrongCount(name: "classifier.bias", found: 3, wanted: 2)) {
            try network.setValues([1, 2, 3], of: "classifier.bias")
        }
        #expect("\(NetworkError.wrongCount(name: "b", found: 3, wanted: 2))".contains("b' has 2 values, but 3"))
    }
}

/// Gives the rows that are asked for and spoils all others.
private struct RowwiseImages: InputImages {
    let planar: UnsafePointer<Float>
    let pixels: Int

    func planes(of image: Int, rows: Range<Int>, scratch: UnsafeMutablePointer<Float>) -> UnsafePointer<Float> {
        let area = pixels * pixels
        scratch.update(repeating: .nan, count: 3 * area)
        for channel in 0..<3 {
            let first = channel * area + rows.lowerBound * pixels
            (scratch + first).update(from: planar + image * 3 * area + first, count: rows.count * pixels)
        }
        return UnsafePointer(scratch)
    }
}
