import Foundation
import Images
import ShuffleNet
import Support
import TestSupport
import Testing

@testable import Runs

@Suite("Bad input", .oneAtATime)
struct BadInputTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    func specification(_ kind: JobSpecification.Kind, _ args: String, input: String? = nil) throws -> JobSpecification {
        for name in ["datasets", "models", "work"] {
            try FileManager.default.createDirectory(atPath: bench.path(name), withIntermediateDirectories: true)
        }
        return JobSpecification(
            job: 1, attempt: 1, kind: kind, args: try JSONDecoder().decode(JSONValue.self, from: Data(args.utf8)),
            input: input, work: bench.path("work"), previous: nil,
            roots: .init(datasets: bench.path("datasets"), models: bench.path("models")), threads: 1)
    }

    @Test("pictures that memory cannot hold are refused before they are decoded")
    func batchMemory() throws {
        let preprocessing = Preprocessing.photographs(pixels: 1024)
        try BatchMemory.check(batch: 64, ringBatches: 4, preprocessing, limit: 1 << 30)
        let failure = #expect(throws: RunFailure.self) {
            try BatchMemory.check(batch: 4096, ringBatches: 4, preprocessing, limit: 24 << 30)
        }
        #expect(
            failure?.message
                == "a batch of 4096 pictures of 1024 px takes 49152 MiB, since 4 are decoded ahead, and there are 24576 MiB of memory; wanted a smaller batch"
        )
        // Another loader holds fewer.
        try BatchMemory.check(batch: 4096, ringBatches: 3, preprocessing, limit: 40 << 30)
        #expect(SystemMemory.limit > 1 << 30)
    }

    @Test(
        "a job's mistake is a sentence with what was found and what was wanted",
        arguments: [
            (JobSpecification.Kind.train, #"{"dataset": "none"}"#, ["no folder 'none'"]),
            (.train, #"{"epochs": 3}"#, ["\"dataset\" is missing"]),
            (.train, #"{"dataset": "../etc"}"#, ["\"../etc\"", "never a path"]),
            (.train, #"{"dataset": "x", "epoch": 3}"#, ["unknown key \"epoch\"", "epochs"]),
            (.train, #"{"dataset": "x", "model_size": "3x"}"#, ["\"3x\"", "\"0.5x\", \"1.0x\", \"1.5x\", \"2.0x\""]),
            (
                .train, #"{"dataset": "x", "groups": 5, "batch": 0, "lr": "fast"}"#,
                ["groups is 5; wanted 3 or 8", "batch is 0", "\"fast\""]
            ),
            (.train, #"{"dataset": "x", "schedule": "constant", "min_lr": -1}"#, ["min_lr is -1.0; wanted 0 to 100"]),
            (.evaluate, #"{"dataset": "x", "model": "nobody"}"#, ["no model 'nobody'"]),
            (.classify, #"{"images": "x", "model": "a", "top_k": 0}"#, ["top_k is 0"]),
            (.classify, "[1]", ["an array of 1", "wanted an object"]),
        ])
    func sentences(kind: JobSpecification.Kind, args: String, wanted: [String]) throws {
        let specification = try specification(kind, args)
        let failure = #expect(throws: RunFailure.self) {
            _ = try JobRun.execute(specification, context: bench.context())
        }
        #expect(failure?.reason == .badInput)
        for part in wanted { #expect(failure?.message.contains(part) == true, "\(failure?.message ?? "")") }
        #expect(try bench.names(bench.path("work")) == [])
    }

    @Test(
        "whatever shards are where none can be given, one sentence says where they can",
        arguments: [.number(0), .number(4), .number(2.5), .string("many"), .bool(true), .null] as [JSONValue])
    func shards(value: JSONValue) {
        #expect(
            KnownArguments.mistakes(in: ["shards": value], of: .classify)
                == ["shards can be given only in a job's own row"])
        #expect(KnownArguments.mistakes(in: [:], of: .classify) == [])
    }

    @Test("a dropped folder is the data set; naming another beside it is refused")
    func droppedFolder() throws {
        let data = try bench.drawClasses()
        let specification = try specification(.train, #"{"dataset": "x"}"#, input: data)
        let failure = #expect(throws: RunFailure.self) {
            _ = try JobRun.execute(specification, context: bench.context())
        }
        #expect(failure?.message.contains("unknown key \"dataset\"") == true)
    }

    @Test("a batch whose activations the machine cannot hold is refused before anything is allocated")
    func memory() throws {
        var options = TrainingOptions()
        options.batch = 4096
        options.pixels = 1024
        let network = NetworkConfiguration(size: .full, groups: .three, classes: 10)
        let needed = Trainer.activationBytes(configuration: network, pixels: 1024, batch: 4096, precision: .float32)
        // 14 MiB an image of 224 px.
        #expect((1100 << 30..<1300 << 30).contains(needed))
        let failure = #expect(throws: RunFailure.self) {
            try TrainingSession.checkMemory(network, options, batch: 4096, limit: needed)
        }
        #expect(failure?.reason == .badInput)
        for part in ["batch 4096 at 1024 px", "\(needed >> 20) MiB", "wanted a smaller batch"] {
            #expect(failure?.message.contains(part) == true)
        }
        try TrainingSession.checkMemory(network, options, batch: 4096, limit: needed + 1)
        #expect(SystemMemory.limit > 64 << 20)
    }

    @Test("an empty folder and a folder without classes are no data sets", arguments: ["", "a.png"])
    func noClasses(file: String) throws {
        try FileManager.default.createDirectory(atPath: bench.path("empty"), withIntermediateDirectories: true)
        if !file.isEmpty { try AtomicFile.write("x".utf8, to: bench.path("empty/" + file)) }
        let failure = #expect(throws: RunFailure.self) {
            _ = try TrainingRun(options: bench.quickOptions, data: bench.path("empty"), out: bench.path("out"))
                .execute(in: bench.context())
        }
        #expect(failure?.reason == .badInput)
        #expect(failure?.message.contains("empty") == true)
    }

    @Test("a file that is no checkpoint, and a checkpoint that is none to resume from, are told apart")
    func wrongCheckpoints() throws {
        let data = try bench.drawClasses()
        try AtomicFile.write("garbage".utf8, to: bench.path("bad.ckpt"))
        let classify = #expect(throws: RunFailure.self) {
            _ = try ClassificationRun(
                options: .init(), model: bench.path("bad.ckpt"), images: data, out: bench.path("p.csv")
            ).execute(in: bench.context())
        }
        #expect(classify?.reason == .badInput && classify?.message.contains("bad.ckpt") == true)
        #expect(!FileManager.default.fileExists(atPath: bench.path("p.csv")))

        let resume = #expect(throws: RunFailure.self) {
            _ = try TrainingRun(options: bench.quickOptions, data: data, out: bench.path("out"), resume: .required)
                .execute(in: bench.context())
        }
        #expect(resume?.reason == .badInput && resume?.message.contains("last.ckpt") == true)
    }

    @Test("a diverging training says so and stops")
    func divergence() throws {
        var options = bench.quickOptions
        options.learningRate = 100
        options.schedule = .constant
        options.epochs = 30
        let failure = #expect(throws: RunFailure.self) {
            _ = try TrainingRun(options: options, data: bench.drawClasses(), out: bench.path("out"))
                .execute(in: bench.context())
        }
        #expect(failure?.reason == .badInput)
        #expect(failure?.message.contains("diverged") == true)
    }
}
