import KernelSets
import ShuffleNet
import Support
import TestSupport
import Testing

@Suite(.oneAtATime) struct DeterminismTests {
    private static let pixels = 64
    private static let batch = 6

    private struct Outcome: Equatable {
        var losses: [UInt32] = []
        var values: [[UInt32]] = []
    }

    private static func network() -> Network {
        Network(configuration: NetworkConfiguration(size: .half, groups: .three, classes: 10), seed: 4)
    }

    private static func labels(_ step: Int) -> [Int32] { (0..<batch).map { Int32(($0 + step) % 10) } }

    private static func train(_ trainer: Trainer, _ steps: Range<Int>, _ outcome: inout Outcome) {
        for step in steps {
            let images = NetworkTests.images(batch, pixels, seed: UInt64(step))
            let result = trainer.step(images: images, labels: labels(step), count: batch, learningRate: 0.02)
            outcome.losses.append(result.loss.bitPattern)
        }
    }

    private static func record(_ trainer: Trainer, _ outcome: inout Outcome) throws {
        for parameter in trainer.network.parameters {
            outcome.values.append(try trainer.network.values(of: parameter.name).map(\.bitPattern))
            outcome.values.append(try trainer.velocity(of: parameter.name).map(\.bitPattern))
        }
    }

    @Test(
        "Three training steps give the same bytes at one, two and three threads", arguments: Precision.allCases,
        InstructionSet.underTest)
    func trainingIgnoresThreads(_ precision: Precision, _ set: InstructionSet) throws {
        var outcomes: [Outcome] = []
        for threads in 1...3 {
            let trainer = Trainer(
                network: Self.network(), pixels: Self.pixels, batch: Self.batch, pool: ThreadPool(threads: threads),
                precision: precision, instructionSet: set)
            var outcome = Outcome()
            Self.train(trainer, 0..<3, &outcome)
            try Self.record(trainer, &outcome)
            outcomes.append(outcome)
        }
        #expect(outcomes[0] == outcomes[1])
        #expect(outcomes[0] == outcomes[2])
    }

    @Test("A loss scale of a power of two changes no byte of the first steps", arguments: Precision.allCases)
    func lossScale(_ precision: Precision) throws {
        var outcomes: [Outcome] = []
        for scale: Float in [1, 1024] {
            let trainer = Trainer(
                network: Self.network(), pixels: Self.pixels, batch: Self.batch, pool: ThreadPool(threads: 2),
                loss: LossOptions(scale: scale), precision: precision)
            var outcome = Outcome()
            Self.train(trainer, 0..<3, &outcome)
            try Self.record(trainer, &outcome)
            outcomes.append(outcome)
        }
        #expect(outcomes[0] == outcomes[1])
    }

    @Test(
        "Inference gives the same bytes at one, two and three threads", arguments: InstructionSet.underTest,
        Precision.allCases)
    func inferenceIgnoresThreads(_ set: InstructionSet, _ precision: Precision) {
        for pixels in [64, 97, 224] {
            for count in [1, 2, 9] { checkInference(pixels, count, precision, set) }
        }
    }

    private func checkInference(_ pixels: Int, _ count: Int, _ precision: Precision, _ set: InstructionSet) {
        let images = NetworkTests.images(count, pixels)
        let all = (1...3).map { threads in
            let session = InferenceSession(
                network: Self.network(), pixels: pixels, maximumBatch: 9, pool: ThreadPool(threads: threads),
                precision: precision, instructionSet: set)
            var logits = [Float](repeating: .nan, count: 90)
            session.run(images: images, count: count, logits: &logits)
            return logits.map(\.bitPattern)
        }
        #expect(all[0] == all[1], "\(pixels) pixels, \(count) images")
        #expect(all[0] == all[2], "\(pixels) pixels, \(count) images")
    }

    @Test("A run resumed from its values and velocities ends with the same bytes")
    func resuming() throws {
        let pool = ThreadPool(threads: 2)
        let whole = Trainer(network: Self.network(), pixels: Self.pixels, batch: Self.batch, pool: pool)
        var wanted = Outcome()
        Self.train(whole, 0..<4, &wanted)
        try Self.record(whole, &wanted)

        let first = Trainer(network: Self.network(), pixels: Self.pixels, batch: Self.batch, pool: pool)
        var found = Outcome()
        Self.train(first, 0..<2, &found)
        let network = Network(configuration: first.network.configuration, seed: 99)
        let second = Trainer(network: network, pixels: Self.pixels, batch: Self.batch, pool: pool)
        for parameter in network.parameters {
            try network.setValues(try first.network.values(of: parameter.name), of: parameter.name)
            if parameter.isTrainable {
                try second.setVelocity(try first.velocity(of: parameter.name), of: parameter.name)
            }
        }
        Self.train(second, 2..<4, &found)
        try Self.record(second, &found)
        #expect(found == wanted)
    }

    @Test("A refreshed session classifies with the trained values")
    func refreshing() {
        let pool = ThreadPool(threads: 2)
        let network = Self.network()
        let images = NetworkTests.images(2, Self.pixels)
        let session = InferenceSession(network: network, pixels: Self.pixels, maximumBatch: 2, pool: pool)
        func logits(_ session: InferenceSession) -> [Float] {
            var logits = [Float](repeating: .nan, count: 20)
            session.run(images: images, count: 2, logits: &logits)
            return logits
        }
        let before = logits(session)
        let trainer = Trainer(network: network, pixels: Self.pixels, batch: 2, pool: pool)
        _ = trainer.step(images: images, labels: [0, 1], count: 2, learningRate: 0.1)
        #expect(logits(session) == before)
        session.refresh()
        let after = logits(session)
        #expect(after != before)
        #expect(
            after
                == logits(InferenceSession(network: network, pixels: Self.pixels, maximumBatch: 2, pool: pool)))
    }
}
