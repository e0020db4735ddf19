import Glibc
import ShuffleNet
import TestSupport
import Testing

@Suite(.oneAtATime) struct ScheduleAndScoreTests {
    struct PreprocessCases: Decodable {
        struct Cosine: Decodable {
            let minimum: Float
            let maximum: Float
            let totalSteps: Int
            let stepsPerEpoch: Int
            let decayEpochs: Int
            let values: [Float]

            enum CodingKeys: String, CodingKey {
                case minimum = "min_lr"
                case maximum = "max_lr"
                case totalSteps = "total_step"
                case stepsPerEpoch = "step_per_epoch"
                case decayEpochs = "decay_epoch"
                case values
            }
        }
        let cosine: Cosine

        enum CodingKeys: String, CodingKey {
            case cosine = "cosine_decay_lr"
        }
    }

    @Test("cosine_decay_lr is the framework's", arguments: GoldenFolder.all(.preprocess))
    func cosine(_ folder: GoldenFolder) throws {
        let table = (try folder.decodeCase() as PreprocessCases).cosine
        let schedule = LearningRateSchedule.cosineDecay(
            minimum: table.minimum, maximum: table.maximum, stepsPerEpoch: table.stepsPerEpoch,
            decayEpochs: table.decayEpochs)
        #expect(table.values.count == table.totalSteps)
        for (step, wanted) in table.values.enumerated() {
            #expect(abs(schedule.rate(at: step) - wanted) <= 1e-7)
        }
    }

    @Test("The document's list ends at 5.02e-4")
    func lastValue() {
        let schedule = LearningRateSchedule.cosineDecay(
            minimum: 0.0005, maximum: 0.05, stepsPerEpoch: 391, decayEpochs: 250)
        #expect(abs(schedule.rate(at: 391 * 250 - 1) - 5.02e-4) < 1e-6)
    }

    @Test("Warm-up climbs evenly, then the cosine falls to the minimum")
    func warmUp() {
        let schedule = LearningRateSchedule.warmUpCosine(
            minimum: 0.001, maximum: 0.1, stepsPerEpoch: 10, warmUpEpochs: 4, epochs: 20)
        let rates = (0..<200).map(schedule.rate(at:))
        #expect(abs(rates[0] - 0.0025) < 1e-7)
        #expect(abs(rates[39] - 0.1) < 1e-7)
        #expect(zip(rates[..<39], rates[1..<40]).allSatisfy(<))
        #expect(zip(rates[40...], rates[41...]).allSatisfy(>))
        #expect(abs(schedule.rate(at: 200) - 0.001) < 1e-6)
        #expect(schedule.rate(at: 10_000) == schedule.rate(at: 200))
    }

    @Test("A run shorter than the warm-up still comes to its rate and down again", arguments: [1, 2, 4])
    func shortRuns(_ epochs: Int) {
        let schedule = LearningRateSchedule.warmUpCosine(
            minimum: 0, maximum: 1, stepsPerEpoch: 10, warmUpEpochs: 4, epochs: epochs)
        let rates = (0..<10 * epochs).map(schedule.rate(at:))
        #expect(rates.max() == 1)
        #expect((rates.last ?? 1) < 0.2)
    }

    @Test("A constant rate is constant")
    func constant() {
        #expect(LearningRateSchedule.constant(0.3).rate(at: 0) == 0.3)
        #expect(LearningRateSchedule.constant(0.3).rate(at: 99) == 0.3)
    }

    @Test("Scores add up the loss, top-1 and top-5")
    func scores() {
        let logits: [Float] = [9, 0, 0, 0, 0, 0, 5, 4, 3, 2, 1, 0, 5, 4, 3, 2, 1, 0]
        let score = SmoothedCrossEntropy.score(
            logits: logits, labels: [0, 4, 5], count: 3, classes: 6, labelSmoothing: 0)
        #expect(score.top1 == 1)
        #expect(score.top5 == 2)
        let partition = [5.0, 4, 3, 2, 1, 0].reduce(0) { $0 + exp($1) }
        let wanted = log(exp(9.0) + 5) - 9 + 2 * log(partition) - 1
        #expect(abs(score.lossSum - wanted) < 1e-9)
    }
}
