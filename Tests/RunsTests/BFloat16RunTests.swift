import Checkpoints
import Foundation
import KernelSets
import ShuffleNet
import Support
import TestSupport
import Testing

@testable import Runs

@Suite("Runs in bfloat16", .oneAtATime)
struct BFloat16RunTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    /// Quick, but with maps and batches large enough that no statistics are of four values only, and steps enough for
    /// the running ones.
    private var options: TrainingOptions {
        var options = bench.quickOptions
        options.pixels = 64
        options.batch = 8
        options.learningRate = 0.003
        options.minimumLearningRate = 0
        options.epochs = 20
        return options
    }

    /// A network that has learnt its two classes, and their pictures.
    private func learnt() throws -> (model: String, data: String) {
        let data = try bench.drawClasses(count: 24)
        return (try bench.trained(options: options, data: data) + "/best.ckpt", data)
    }

    /// A copy of the model with another check, or with none.
    private func copy(of model: String, check: BFloat16Check?) throws -> String {
        var file = try ModelFile(path: model)
        file.card.bfloat16Check = check
        let path = bench.path("copy.ckpt")
        try file.write(to: path)
        return path
    }

    private func classify(
        _ images: String, with model: String, _ name: String, _ adjust: (inout ClassificationOptions) -> Void
    ) throws -> RunResult {
        var options = ClassificationOptions()
        adjust(&options)
        return try ClassificationRun(options: options, model: model, images: images, out: bench.path(name))
            .execute(in: bench.context())
    }

    @Test("training learns, gives the same bytes at any number of threads, and every epoch's checkpoint has its check")
    func training() throws {
        var options = options
        options.precision = .bfloat16
        let data = try bench.drawClasses(count: 24)
        let log = EventLog()
        for threads in [1, 2] {
            let run = TrainingRun(options: options, data: data, out: bench.path("out\(threads)"))
            let result = try run.execute(in: bench.context(threads: threads) { log.append($0) })
            #expect(try #require(result.figures["top_1"]) > 0.9)
        }
        #expect(try bench.bytes(bench.path("out1/last.ckpt")) == bench.bytes(bench.path("out2/last.ckpt")))
        let check = try #require(try ModelFile(path: bench.path("out1/last.ckpt")).card.bfloat16Check)
        #expect(check.images > 0 && check.agreeing <= check.images)
        #expect(log.lines.contains("the network \(check.sentence)"))
        // Of the best epoch on all records, since those held back are few.
        #expect(try ModelFile(path: bench.path("out1/best.ckpt")).card.bfloat16Check?.images == 48)
    }

    @Test("a training stopped and resumed ends with the bytes of one that was not", arguments: [0.3, 0.9])
    func resume(stopAt fraction: Double) throws {
        var options = options
        options.epochs = 3
        options.precision = .bfloat16
        options.lossScale = 1024
        let data = try bench.drawClasses()
        let straight = try bench.trained("straight", options: options, data: data)
        let stop = StopFlag()
        var run = TrainingRun(options: options, data: data, out: bench.path("resumed"))
        #expect(throws: RunFailure.self) {
            _ = try run.execute(
                in: RunContext(threads: 1, stop: stop, progressInterval: .zero) { event in
                    if case .progress(let done, _, _) = event, done >= fraction { stop.raise() }
                })
        }
        #expect(try ModelFile(path: bench.path("resumed/last.ckpt")).card.bfloat16Check == nil)
        run.resume = .required
        _ = try run.execute(in: bench.context())
        #expect(try bench.bytes(bench.path("resumed/last.ckpt")) == bench.bytes(straight + "/last.ckpt"))
    }

    @Test("a run begun before there was a choice of precision goes on in float32")
    func olderCheckpoint() throws {
        let data = try bench.drawClasses()
        let out = try bench.trained("out", data: data)
        var file = try ModelFile(path: out + "/last.ckpt")
        let state = try #require(file.card.runState)
        let older = state.replacingOccurrences(of: #""precision":"f32","#, with: "")
        #expect(older != state)
        file.card.runState = older
        try file.write(to: out + "/last.ckpt")
        _ = try TrainingRun(options: bench.quickOptions, data: data, out: out, resume: .required)
            .execute(in: bench.context())
        var other = bench.quickOptions
        other.precision = .bfloat16
        let failure = #expect(throws: RunFailure.self) {
            _ = try TrainingRun(options: other, data: data, out: out, resume: .required).execute(in: bench.context())
        }
        #expect(failure?.message.contains("precision is bf16, wanted f32") == true)
    }

    @Test("an evaluation tells how far bf16 agrees with f32, and records it in a copy of the model")
    func evaluation() throws {
        let (model, data) = try learnt()
        let unchecked = try copy(of: model, check: nil)
        var options = EvaluationOptions()
        options.precision = .bfloat16
        let result = try EvaluationRun(options: options, model: unchecked, data: data, out: bench.path("eval"))
            .execute(in: bench.context())
        let report = try JSONDecoder().decode(EvaluationReport.self, from: bench.bytes(bench.path("eval/eval.json")))
        let check = try #require(report.bfloat16Check)
        #expect(report.precision == .bfloat16 && check.images == 48)
        #expect(result.files["checked"] == "checked.ckpt" && result.figures["bf16_agreement"] == check.agreement)
        var checked = try ModelFile(path: bench.path("eval/checked.ckpt"))
        #expect(checked.card.bfloat16Check == check)
        checked.card.bfloat16Check = nil
        #expect(try checked == ModelFile(path: unchecked))

        #expect((40...48).contains(check.agreeing))
        let rows = try? classify(data, with: bench.path("eval/checked.ckpt"), "rows.csv") { $0.precision = .bfloat16 }
        #expect((rows != nil) == check.isPassed)
    }

    @Test("classification in bf16 gives the labels of f32 and probabilities close to it")
    func classification() throws {
        let (model, data) = try learnt()
        let checked = try copy(of: model, check: BFloat16Check(images: 200, agreeing: 199))
        func rows(_ name: String, _ precision: Precision) throws -> [[Substring]] {
            _ = try classify(data, with: checked, name) { $0.precision = precision }
            return try bench.text(bench.path(name)).split(separator: "\r\n").dropFirst().map {
                $0.split(separator: ",", omittingEmptySubsequences: false)
            }
        }
        let exact = try rows("f32.csv", .float32)
        let rounded = try rows("bf16.csv", .bfloat16)
        #expect(exact.count == 48 && rounded.count == 48)
        let table = try bench.text(bench.path("f32.csv")).split(separator: "\r\n")[0].split(separator: ",")
        let label = try #require(table.firstIndex(of: "label"))
        let probability = try #require(table.firstIndex(of: "probability"))
        #expect(exact != rounded, "bf16 computes something else than f32")
        for (one, other) in zip(exact, rounded) {
            #expect(one[0] == other[0])
            let (p, q) = try (#require(Double(one[probability])), #require(Double(other[probability])))
            // Of two classes: the other one's probability is what is missing to 1.
            #expect(abs(p - (one[label] == other[label] ? q : 1 - q)) < 0.05)
        }
    }

    @Test("classification in bf16 is refused for a model that was not measured, or that does not agree")
    func refusal() throws {
        let data = try bench.drawClasses()
        let model = try bench.trained(data: data) + "/best.ckpt"
        let cases: [(BFloat16Check?, String)] = [
            (nil, "was never measured in bf16"),
            (BFloat16Check(images: 1000, agreeing: 994), "agrees in bf16 with f32 on 99.4 % of 1000 images"),
            (BFloat16Check(images: 0, agreeing: 0), "agrees in bf16 with f32 on 0.0 % of 0 images"),
            (BFloat16Check(images: -1, agreeing: -1), "0.0 % of -1 images"),
            (BFloat16Check(images: 1, agreeing: 2), "200.0 % of 1 images"),
        ]
        for (check, sentence) in cases {
            let copy = try copy(of: model, check: check)
            let failure = #expect(throws: RunFailure.self) {
                _ = try classify(data, with: copy, "rows.csv") { $0.precision = .bfloat16 }
            }
            #expect(failure?.reason == .badInput)
            #expect(failure?.message.contains(sentence) == true, "\(failure?.message ?? "")")
            #expect(failure?.message.contains("wanted agreement with f32 on at least 99.5 %") == true)
            #expect(!FileManager.default.fileExists(atPath: bench.path("rows.csv")))
        }
        let enough = try copy(of: model, check: BFloat16Check(images: 1000, agreeing: 995))
        _ = try classify(data, with: enough, "rows.csv") { $0.precision = .bfloat16 }
    }

    @Test("a classification that names no precision takes bf16 where the CPU is made for it and the model agrees")
    func ownChoice() throws {
        let (model, data) = try learnt()
        let agreeing = BFloat16Check(images: 200, agreeing: 199)
        let hasInstructions = InstructionSet.current.hasBFloat16
        let cases: [(check: BFloat16Check?, Precision)] = [
            (agreeing, hasInstructions ? .bfloat16 : .float32),
            (BFloat16Check(images: 200, agreeing: 198), .float32),
            (nil, .float32),
        ]
        for (check, expected) in cases {
            let copy = try copy(of: model, check: check)
            func rows(_ name: String, _ precision: Precision?) throws -> (rows: String, log: [String]) {
                var run = ClassificationRun(
                    options: ClassificationOptions(), model: copy, images: data, out: bench.path(name))
                run.options.precision = precision
                let log = EventLog()
                _ = try run.execute(in: bench.context { log.append($0) })
                return (try bench.text(bench.path(name)), log.lines)
            }
            let chosen = try rows("chosen.csv", nil)
            #expect(try chosen.rows == rows("asked.csv", expected).rows)
            #expect(chosen.log.contains { $0.hasPrefix("classifying in bf16") } == (expected == .bfloat16))
        }
    }

    @Test("arguments of jobs name the precision", arguments: ["train", "evaluate", "classify"])
    func arguments(kind: String) throws {
        let kind = try #require(JobSpecification.Kind(rawValue: kind))
        #expect(KnownArguments.mistakes(in: ["precision": .string("bf16")], of: kind) == [])
        let mistakes = KnownArguments.mistakes(in: ["precision": .string("fp16")], of: kind)
        #expect(mistakes.count == 1 && mistakes[0].hasSuffix(#"wanted one of "f32", "bf16""#))
    }

    @Test("a loss scale that is none is refused", arguments: [0, 0.5, 1e6, -1])
    func lossScale(value: Double) {
        let mistakes = KnownArguments.mistakes(in: ["loss_scale": .number(value)], of: .train)
        #expect(mistakes.count == 1 && mistakes[0].contains("wanted 1 to 65536"))
    }
}
