import Checkpoints
import Foundation
import Support
import TestSupport
import Testing

@testable import Runs

@Suite("Training runs", .oneAtATime)
struct TrainingRunTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    @Test("a run leaves the newest five checkpoints, last, best, the table and the logs, and nothing half-written")
    func files() throws {
        var options = bench.quickOptions
        options.epochs = 6
        let log = EventLog()
        let data = try bench.drawClasses()
        let result = try TrainingRun(options: options, data: data, out: bench.path("out"))
            .execute(in: bench.context { log.append($0) })

        let steps = try #require(log.lines.firstIndex { $0.hasPrefix("epoch: 1 step: ") })
        #expect(log.lines[steps].contains(", loss is "))
        #expect(log.lines.contains { $0.hasPrefix("Train epoch time: ") && $0.contains(" ms, per step time: ") })
        let names = try bench.names(bench.path("out"))
        #expect(names.filter { $0.hasPrefix("shufflenetv1-") }.count == 5)
        #expect(!names.contains { $0.hasPrefix("shufflenetv1-1_") })
        #expect(names.filter { $0.hasPrefix(".") || $0.hasSuffix(".partial") } == [])
        #expect(Set(names).isSuperset(of: ["last.ckpt", "best.ckpt", "results.csv", "train.log", "eval_log.txt"]))
        let rows = try bench.text(bench.path("out/results.csv")).components(separatedBy: "\r\n")
        #expect(rows.count == 8 && rows[0] + "\r\n" == TrainingJournal.header && rows[6].hasPrefix("6,"))
        #expect(try bench.text(bench.path("out/eval_log.txt")).hasPrefix("result:{'Loss': "))
        #expect(result.figures["top_1"] != nil)
    }

    @Test("the network learns what is easy to learn")
    func learns() throws {
        var options = bench.quickOptions
        options.epochs = 8
        let data = try bench.drawClasses(count: 24)
        let result = try TrainingRun(options: options, data: data, out: bench.path("out")).execute(in: bench.context())
        #expect(try #require(result.figures["top_1"]) > 0.9)
    }

    @Test("the checkpoint's bytes do not depend on the number of threads")
    func threads() throws {
        let data = try bench.drawClasses()
        for threads in [1, 2, 3] {
            _ = try TrainingRun(options: bench.quickOptions, data: data, out: bench.path("out\(threads)"))
                .execute(in: bench.context(threads: threads))
        }
        let one = try bench.bytes(bench.path("out1/last.ckpt"))
        #expect(try bench.bytes(bench.path("out2/last.ckpt")) == one)
        #expect(try bench.bytes(bench.path("out3/last.ckpt")) == one)
    }

    @Test(
        "a run stopped in mid-epoch and resumed ends with the bytes of one that was not",
        arguments: [0.01, 0.3, 1.0 / 3, 0.6, 0.9])
    func resume(stopAt fraction: Double) throws {
        let data = try bench.drawClasses()
        let straight = try bench.trained("straight", data: data)

        let stop = StopFlag()
        let interrupted = TrainingRun(options: bench.quickOptions, data: data, out: bench.path("resumed"))
        let failure = #expect(throws: RunFailure.self) {
            _ = try interrupted.execute(
                in: RunContext(threads: 1, stop: stop, progressInterval: .zero) { event in
                    if case .progress(let done, _, _) = event, done >= fraction - 1e-9 { stop.raise() }
                })
        }
        #expect(failure?.reason == .preempted)

        var resumed = interrupted
        resumed.resume = .required
        _ = try resumed.execute(in: bench.context(threads: 2))
        #expect(try bench.bytes(bench.path("resumed/last.ckpt")) == bench.bytes(straight + "/last.ckpt"))
        #expect(try bench.bytes(bench.path("resumed/best.ckpt")) == bench.bytes(straight + "/best.ckpt"))
        func untimed(_ path: String) throws -> [[Substring]] {
            try bench.text(path).split(separator: "\r\n").map {
                $0.split(separator: ",", omittingEmptySubsequences: false).dropLast(2)
            }
        }
        #expect(try untimed(bench.path("resumed/results.csv")) == untimed(straight + "/results.csv"))
    }

    @Test("fine-tuning keeps the features and drops a classifier of another class count")
    func fineTuning() throws {
        let first = try bench.trained("first")
        let other = try bench.drawClasses("other")
        try FileManager.default.copyItem(atPath: other + "/dark", toPath: other + "/dusk")
        let log = EventLog()
        let run = TrainingRun(
            options: bench.quickOptions, data: other, out: bench.path("second"), from: first + "/best.ckpt")
        _ = try run.execute(in: bench.context { log.append($0) })
        #expect(log.lines.contains { $0.contains("the classifier for 2 classes was dropped") })
        #expect(try ModelFile(path: bench.path("second/best.ckpt")).card.classNames == ["dark", "dusk", "light"])
    }

    @Test("an incumbent is only replaced by a model that is measured to be no worse")
    func incumbent() throws {
        let data = try bench.drawClasses(count: 24)
        var options = bench.quickOptions
        options.epochs = 8
        let good = try bench.trained("good", options: options, data: data)
        options.epochs = 1
        options.learningRate = 1e-6
        options.minimumLearningRate = 0
        let worse = TrainingRun(
            options: options, data: data, out: bench.path("worse"), incumbent: good + "/best.ckpt")
        let result = try worse.execute(in: bench.context())
        #expect(result.files["publish"] == nil)
        #expect(result.summary.contains("not published"))
        options = bench.quickOptions
        options.epochs = 8
        let equal = TrainingRun(options: options, data: data, out: bench.path("equal"), incumbent: good + "/best.ckpt")
        #expect(try equal.execute(in: bench.context()).files["publish"] == "best.ckpt")
    }

    @Test("unreadable images are named and skipped up to the limit, past it the run fails with the list")
    func unreadable() throws {
        let data = try bench.drawClasses(count: 30)
        try AtomicFile.write("no picture".utf8, to: data + "/dark/broken.png")
        var options = bench.quickOptions
        options.epochs = 1
        options.unreadableLimit = 0.1
        let log = EventLog()
        _ = try TrainingRun(options: options, data: data, out: bench.path("out"))
            .execute(in: bench.context { log.append($0) })
        #expect(log.lines.filter { $0.contains("skipped") && $0.contains("broken.png") }.count == 1)

        options.unreadableLimit = 0
        let failure = #expect(throws: RunFailure.self) {
            _ = try TrainingRun(options: options, data: data, out: bench.path("out2")).execute(in: bench.context())
        }
        #expect(failure?.reason == .badInput)
        #expect(failure?.message.contains("broken.png") == true)
    }
}
