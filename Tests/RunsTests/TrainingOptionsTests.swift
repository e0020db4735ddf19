import Foundation
import Testing

@testable import Runs

@Suite("Options of a training run")
struct TrainingOptionsTests {
    private func read(_ arguments: [String: JSONValue]) -> (options: TrainingOptions, mistakes: [String]) {
        var options = TrainingOptions()
        var reader = ArgumentReader(arguments, kind: .train)
        options.read(from: &reader)
        return (options, reader.allMistakes)
    }

    @Test(
        "a minimum that is not given is never above the learning rate, and one that is given stays",
        arguments: [
            ([:], 0.0005), (["lr": .number(0.02)], 0.0005), (["lr": .number(0.0001)], 0.0001),
            (["lr": .number(0.0001), "min_lr": .number(0.00005)], 0.00005), (["min_lr": .number(0.001)], 0.001),
            (["lr": .number(0.0001), "schedule": .string("constant"), "min_lr": .number(0.3)], 0.3),
        ] as [([String: JSONValue], Double)])
    func minimum(arguments: [String: JSONValue], wanted: Double) {
        let (options, mistakes) = read(arguments)
        #expect(mistakes == [])
        #expect(options.minimumLearningRate == wanted)
    }

    @Test("of a learning rate that is none only the learning rate is spoken of", arguments: [-1, 0, 101])
    func wrongRate(rate: Double) {
        let mistakes = read(["lr": .number(rate)]).mistakes
        #expect(mistakes == ["lr is \(rate); wanted more than 0 and at most 100"])
        let both = read(["lr": .number(0.0001), "min_lr": .number(0.001)]).mistakes
        #expect(both == ["min_lr is 0.001; wanted 0 or more and at most lr (0.0001)"])
    }

    @Test("a run begun before the minimum followed the learning rate is one of the same options")
    func resume() {
        // A constant rate had no use for the minimum, which so could be above it.
        let now = read(["lr": .number(0.0001), "schedule": .string("constant")]).options
        var former = now
        former.minimumLearningRate = 0.0005
        #expect(former.arguments == now.arguments)
        #expect(TrainingOptions().arguments["min_lr"] == "0.0005")
    }
}
