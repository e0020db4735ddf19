import Foundation
import ShuffleNet
import TestSupport
import Testing

@testable import Runs

@Suite("Options of a training run", .oneAtATime)
struct TrainingOptionsTests {
    private func read(_ arguments: [String: JSONValue]) -> (options: TrainingOptions, mistakes: [String]) {
        var options = TrainingOptions()
        var reader = ArgumentReader(arguments, kind: .train)
        options.read(from: &reader)
        return (options, reader.allMistakes)
    }

    /// Every key, and none as it is without it.
    private static let unusual: [String: JSONValue] = [
        "model_size": .string("0.5x"), "groups": .number(8), "epochs": .number(7), "batch": .number(16),
        "pixels": .number(96), "seed": .number(5), "lr": .number(0.02), "min_lr": .number(0.001),
        "warm_up_epochs": .number(2), "schedule": .string("constant"), "momentum": .number(0.8),
        "weight_decay": .number(0.001), "label_smoothing": .number(0.2), "precision": .string("bf16"),
        "loss_scale": .number(8), "augmentation": .string("none"), "drop_remainder": .bool(true),
        "records": .number(100), "validation_records": .number(50), "validation_share": .number(0.2),
        "unreadable_limit": .number(0.5), "checkpoint_steps": .number(3), "orientation": .string("ignore"),
        "tolerate_truncated": .bool(true), "max_pixels": .number(1000), "decode_seconds": .number(2),
    ]

    @Test("what a checkpoint keeps of the options is all of them")
    func roundTrip() throws {
        let (options, mistakes) = read(Self.unusual)
        #expect(mistakes == [])
        let usual = TrainingOptions().arguments
        for (key, value) in options.arguments { #expect(value != usual[key], "the test has no \(key)") }
        #expect(try JSONDecoder().decode(TrainingOptions.self, from: JSONEncoder().encode(options)) == options)
    }

    @Test("options without a precision are of float32; nothing else may be missing, nor a precision elsewhere")
    func missing() throws {
        let text = try JSONEncoder().encode(read(Self.unusual).options)
        let fields = try JSONDecoder().decode([String: JSONValue].self, from: text)
        func decoded(without field: String) throws -> TrainingOptions {
            let rest = fields.filter { $0.key != field }
            #expect(rest.count == fields.count - 1)
            return try JSONDecoder().decode(TrainingOptions.self, from: JSONEncoder().encode(rest))
        }
        #expect(try decoded(without: "precision").precision == .float32)
        for field in ["epochs", "schedule", "pictures"] {
            #expect(throws: DecodingError.self) { try decoded(without: field) }
        }
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(ShardNote.self, from: Data(#"{"model": "m"}"#.utf8))
        }
    }

    @Test(
        "an epoch leaves out a last batch whose statistics would spoil a step, unless it is told",
        arguments: [
            (50_000, 128, false), (325, 36, true), (82, 16, true), (84, 16, false), (9, 4, true), (10, 4, false),
            (80, 16, false), (5, 16, false), (1, 1, false),
        ])
    func remainder(records: Int, batch: Int, isLeftOut: Bool) {
        var options = TrainingOptions()
        options.batch = batch
        #expect(options.leavesOutRemainder(of: records) == isLeftOut)
        for told in [true, false] {
            options.dropsRemainder = told
            #expect(options.leavesOutRemainder(of: records) == told)
        }
    }

    @Test("runs that could not leave the remainder open go on", arguments: [true, false])
    func formerRemainder(wasDropped: Bool) throws {
        let fields = try JSONDecoder().decode([String: JSONValue].self, from: JSONEncoder().encode(TrainingOptions()))
        let former = fields.merging(["dropRemainder": .bool(wasDropped)]) { $1 }
        let options = try JSONDecoder().decode(TrainingOptions.self, from: JSONEncoder().encode(former))
        #expect(options.dropsRemainder == (wasDropped ? true : nil))
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

    @Test("cosine_decay is the document's list of rates: a value an epoch, from lr to 5.02e-4 in its 250 epochs")
    func cosineDecay() {
        let (options, mistakes) = read([
            "schedule": .string("cosine_decay"), "epochs": .number(250), "warm_up_epochs": .number(4),
        ])
        #expect(mistakes == [])
        let schedule = options.schedule(stepsPerEpoch: 391)
        #expect(schedule.rate(at: 0) == 0.05 && schedule.rate(at: 390) == 0.05 && schedule.rate(at: 391) < 0.05)
        #expect(abs(schedule.rate(at: 391 * 250 - 1) - 5.02e-4) < 1e-6)
        let above = read(["schedule": .string("cosine_decay"), "lr": .number(0.0001), "min_lr": .number(0.001)])
        #expect(above.mistakes == ["min_lr is 0.001; wanted 0 or more and at most lr (0.0001)"])
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
