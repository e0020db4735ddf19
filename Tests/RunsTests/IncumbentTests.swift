import Checkpoints
import Foundation
import Images
import ShuffleNet
import Support
import TestSupport
import Testing

@testable import Runs

@Suite("A training and the model in service", .oneAtATime)
struct IncumbentTests {
    let bench: Workbench
    let data: String
    let service: String

    init() throws {
        bench = try Workbench()
        data = try bench.drawClasses()
        service = bench.path("service.ckpt")
    }

    private func train(_ name: String = "out") throws -> RunResult {
        try TrainingRun(options: bench.quickOptions, data: data, out: bench.path(name), incumbent: service)
            .execute(in: bench.context())
    }

    @Test("what can't be read as a model keeps its place, and the training its result", arguments: [true, false])
    func damaged(isFolder: Bool) throws {
        if isFolder {
            try FileManager.default.createDirectory(atPath: service, withIntermediateDirectories: true)
        } else {
            let whole = try bench.bytes(bench.trained("other", data: data) + "/best.ckpt")
            try whole.prefix(10_000).write(to: URL(fileURLWithPath: service))
        }
        let result = try train()
        #expect(result.files["publish"] == nil && result.files["best"] == "best.ckpt")
        #expect(result.summary.contains("not published: the model in service cannot be used: "))
        #expect(result.summary.contains("service.ckpt"))
    }

    @Test("a model whose outputs are no numbers is replaced")
    func diverged() throws {
        let file = try ModelFile(path: bench.trained("other", data: data) + "/best.ckpt")
        let network = file.makeNetwork()
        try network.setValues([Float](repeating: 1e38, count: 12), of: "first_conv.1.gamma")
        try ModelFile(network: network, card: file.card).write(to: service)
        let result = try train()
        #expect(result.files["publish"] == "best.ckpt")
        #expect(result.replaces == (try ModelDigest.of(service)))
        #expect(result.summary.contains("published: the model in service gives no finite numbers for "))
    }

    @Test("one that appeared while the training ran is compared as well")
    func late() throws {
        #expect(try train().replaces == nil)
        let stop = StopFlag()
        let good = bench.path("out/best.ckpt")
        var options = bench.quickOptions
        options.learningRate = 1e-6
        options.minimumLearningRate = 1e-7
        let result = try TrainingRun(options: options, data: data, out: bench.path("second"), incumbent: service)
            .execute(
                in: RunContext(threads: 1, stop: stop, progressInterval: .zero) { event in
                    if case .progress = event { try? FileManager.default.copyItem(atPath: good, toPath: service) }
                })
        #expect(result.figures["incumbent_top_1"] != nil)
        #expect(result.replaces == (try ModelDigest.of(good)))
    }

    @Test("epochs whose outputs are no numbers are not the best, and a run of nothing else says so at its end")
    func neverFinite() throws {
        let file = try ModelFile(path: bench.trained("other", data: data) + "/best.ckpt")
        let network = file.makeNetwork()
        // Training goes by each batch's own statistics, validation by these.
        try network.setValues([Float](repeating: 1e38, count: 12), of: "first_conv.1.moving_mean")
        let from = bench.path("from.ckpt")
        try ModelFile(network: network, card: file.card).write(to: from)
        let failure = #expect(throws: RunFailure.self) {
            _ = try TrainingRun(options: bench.quickOptions, data: data, out: bench.path("out"), from: from)
                .execute(in: bench.context())
        }
        #expect(failure?.reason == .badInput && failure?.message.contains("the training diverged") == true)
        #expect(try bench.text(bench.path("out/results.csv")).components(separatedBy: "\r\n").count == 5)
        #expect(try bench.names(bench.path("out")).contains("best.ckpt") == false)
    }

    @Test("a held-back picture that can't be read counts among all of the data set's")
    func unreadable() throws {
        let data = try bench.drawClasses("many", count: 40)
        let held = try #require(
            (0..<40).first { HashSplit.isHeldBack("dark/\($0).png", share: bench.quickOptions.validationShare) })
        try AtomicFile.write("no picture".utf8, to: data + "/dark/\(held).png")
        var options = bench.quickOptions
        options.epochs = 1
        options.unreadableLimit = 0.02
        _ = try TrainingRun(options: options, data: data, out: bench.path("out")).execute(in: bench.context())
        // Past the limit the epoch is kept all the same.
        options.unreadableLimit = 0.01
        let failure = #expect(throws: RunFailure.self) {
            _ = try TrainingRun(options: options, data: data, out: bench.path("strict")).execute(in: bench.context())
        }
        #expect(failure?.message.contains("1 of 80 images could not be used") == true)
        #expect(try bench.names(bench.path("strict")).contains("last.ckpt"))
    }
}
