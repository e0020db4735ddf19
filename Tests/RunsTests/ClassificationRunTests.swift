import Checkpoints
import Foundation
import Images
import Support
import TestSupport
import Testing

@testable import Runs

@Suite("Evaluation and classification runs", .oneAtATime)
struct ClassificationRunTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    @Test("every file has its row, in sorted order, also those that are no pictures")
    func oneRowEach() throws {
        let model = try bench.trained() + "/best.ckpt"
        let images = try bench.drawClasses("pictures", count: 3)
        try AtomicFile.write("".utf8, to: images + "/empty.jpg")
        try AtomicFile.write("hello".utf8, to: images + "/notes, final.txt")
        let out = bench.path("deep/er/predictions.csv")
        let result = try ClassificationRun(options: .init(), model: model, images: images, out: out)
            .execute(in: bench.context())
        let rows = try bench.text(out).components(separatedBy: "\r\n").dropLast()
        let paths = rows.dropFirst().map {
            $0.hasPrefix("\"") ? "notes, final.txt" : String($0.split(separator: ",")[0])
        }
        #expect(
            paths == [
                "dark/0.png", "dark/1.png", "dark/2.png", "empty.jpg", "light/0.png", "light/1.png", "light/2.png",
                "notes, final.txt",
            ])
        #expect(rows.dropFirst().filter { $0.contains(",ok,") }.count == 6)
        #expect(result.figures["ok"] == 6 && result.figures["files"] == 8)
        #expect(rows.dropFirst().allSatisfy { $0.hasSuffix("best.ckpt") })
    }

    @Test("a table among the pictures is no picture the next time", arguments: ["", "light/"])
    func tableAmongPictures(folder: String) throws {
        let model = try bench.trained() + "/best.ckpt"
        let images = try bench.drawClasses("pictures", count: 1)
        // The same folder by another way.
        symlink(images, bench.path("link"))
        let out = bench.path("link/\(folder)predictions.csv")
        let tables = try (0..<2).map { _ in
            let result = try ClassificationRun(options: .init(), model: model, images: images, out: out)
                .execute(in: bench.context())
            #expect(result.figures["files"] == 2)
            return try bench.text(out)
        }
        #expect(tables[0] == tables[1])
    }

    @Test("the table takes no other thing's place")
    func place() throws {
        let model = try bench.trained() + "/best.ckpt"
        let images = try bench.drawClasses("pictures", count: 1)
        mkfifo(bench.path("pipe"), 0o600)
        symlink(bench.path("away.csv"), bench.path("link"))
        try AtomicFile.write("path,label\r\n".utf8, to: bench.path("mine.csv"))
        for (out, what) in [
            (bench.path("pipe"), "a pipe"), (bench.path("link"), "a symbolic link"), (model, "no table of predictions"),
            (images + "/dark/0.png", "no table of predictions"), (bench.path("mine.csv"), "no table of predictions"),
            (bench.path("new/"), "the name of a folder"), (images, "a folder"),
        ] {
            // Reading a pipe would wait for a writer.
            let before = what == "a pipe" ? nil : try? bench.bytes(out)
            let failure = #expect(throws: RunFailure.self) {
                _ = try ClassificationRun(options: .init(), model: model, images: images, out: out)
                    .execute(in: bench.context())
            }
            #expect(failure?.message.contains(what) == true)
            #expect(what == "a pipe" || before == (try? bench.bytes(out)))
        }
        // An earlier table, and an empty file, are replaced.
        let out = bench.path("table.csv")
        try AtomicFile.write("".utf8, to: out)
        for _ in 0..<2 {
            _ = try ClassificationRun(options: .init(), model: model, images: images, out: out)
                .execute(in: bench.context())
            #expect(try bench.text(out).hasPrefix("path,status,"))
        }
    }

    @Test("a checkpoint that no run can work with is refused with what it holds")
    func unfitModel() throws {
        let good = try bench.trained() + "/best.ckpt"
        let images = try bench.drawClasses("pictures", count: 1)
        let changes: [(sentence: String, change: (inout ModelCard) -> Void)] = [
            (
                "makes pictures of 16 px; wanted 32 or more",
                {
                    $0.preprocessing = $0.preprocessing?.replacingOccurrences(
                        of: #""pixels":32"#, with: #""pixels":16"#)
                }
            ),
            ("cannot be read; it may be of another version", { $0.preprocessing = #"{"pixels":"many"}"# }),
            ("has two classes called 'a\\x0A'", { $0.classNames = ["a\n", "a\n"] }),
        ]
        for (sentence, change) in changes {
            var file = try ModelFile(path: good)
            change(&file.card)
            try file.write(to: bench.path("unfit.ckpt"))
            let failure = #expect(throws: RunFailure.self) {
                _ = try ClassificationRun(
                    options: .init(), model: bench.path("unfit.ckpt"), images: images, out: bench.path("out.csv")
                ).execute(in: bench.context())
            }
            #expect(failure?.reason == .badInput)
            #expect(failure?.message.contains(sentence) == true, "\(failure?.message ?? "")")
        }
    }

    @Test("an evaluation measures the loss that the model was trained with")
    func trainedLoss() throws {
        let data = try bench.drawClasses()
        var losses: [Double] = []
        for smoothing in [0.0, 0.3] {
            var options = bench.quickOptions
            options.epochs = 1
            options.labelSmoothing = smoothing
            let out = try bench.trained("smoothed \(smoothing)", options: options, data: data)
            let row = try bench.text(out + "/results.csv").split(separator: "\r\n")[1].split(separator: ",")
            let held = bench.path("held \(smoothing)")
            // The training's own validation part.
            let (_, validation) = HashSplit.divide(try ImageFolderDataset(folder: data), share: options.validationShare)
            for index in 0..<validation.count {
                let name = validation.recordName(at: index)
                try FileManager.default.createDirectory(
                    atPath: "\(held)/\((name as NSString).deletingLastPathComponent)", withIntermediateDirectories: true
                )
                try FileManager.default.copyItem(atPath: "\(data)/\(name)", toPath: "\(held)/\(name)")
            }
            let result = try EvaluationRun(
                options: .init(), model: out + "/last.ckpt", data: held, out: bench.path("eval \(smoothing)")
            ).execute(in: bench.context())
            #expect(abs(try #require(result.figures["loss"]) - (try #require(Double(row[5])))) < 1e-6)
            losses.append(try #require(result.figures["loss"]))
        }
        #expect(losses[0] != losses[1])
    }

    @Test("an evaluation appends its line and writes its figures")
    func evaluation() throws {
        let data = try bench.drawClasses()
        let model = try bench.trained(data: data) + "/best.ckpt"
        let run = EvaluationRun(options: .init(), model: model, data: data, out: bench.path("eval"))
        _ = try run.execute(in: bench.context())
        _ = try run.execute(in: bench.context())
        let lines = try bench.text(bench.path("eval/eval_log.txt")).split(separator: "\n")
        #expect(lines.count == 2)
        let form =
            /^result:\{'Loss': [0-9.e-]+, 'Top_1_Acc': [0-9.]+, 'Top_5_Acc': 1\.0\}, ckpt:'.*\/best\.ckpt', time: 0h 0m \d+s$/
        #expect(lines.allSatisfy { $0.wholeMatch(of: form) != nil })
        let report = try JSONDecoder().decode(EvaluationReport.self, from: bench.bytes(bench.path("eval/eval.json")))
        #expect(report.images == 24)
        #expect(report.confusion.flatMap(\.self).reduce(0, +) == 24)
    }

    @Test("what a training held back can be measured, and a model on its own training data is told so")
    func parts() throws {
        let data = try bench.drawClasses("set", count: 20)
        let log = EventLog()
        let trained = try TrainingRun(options: bench.quickOptions, data: data, out: bench.path("out"))
            .execute(in: bench.context())
        func evaluate(_ part: EvaluationOptions.Part, on data: String) throws -> EvaluationReport {
            var options = EvaluationOptions()
            options.part = part
            let out = bench.path("eval-\(part)")
            _ = try EvaluationRun(options: options, model: bench.path("out/best.ckpt"), data: data, out: out)
                .execute(in: bench.context { log.append($0) })
            return try JSONDecoder().decode(EvaluationReport.self, from: bench.bytes(out + "/eval.json"))
        }
        let (all, held, learnt) = (
            try evaluate(.auto, on: data), try evaluate(.validation, on: data), try evaluate(.training, on: data)
        )
        #expect(all.images == 40 && held.images + learnt.images == 40 && held.images > 0)
        #expect(held.top1 == trained.figures["top_1"])
        #expect([all, held, learnt].map { $0.subject?.isFamiliar } == [true, false, true])
        #expect(all.subject?.identity == held.subject?.identity)
        #expect(log.lines.filter { $0.contains("the model was trained on these") }.count == 2)
        #expect(
            log.lines.contains {
                $0.contains("the \(held.images) records of ")
                    && $0.hasSuffix(" held back by hash (validation_share 0.25)")
            })
        // Options that no training has are not gone by.
        var file = try ModelFile(path: bench.path("out/best.ckpt"))
        file.card.runState = file.card.runState?.replacingOccurrences(
            of: #""validationShare":0.25"#, with: #""validationShare":25"#)
        try file.write(to: bench.path("out/best.ckpt"))
        #expect(try evaluate(.auto, on: data).subject?.isFamiliar == false)
        // Pictures that it never saw.
        let others = try bench.drawClasses("others", count: 3)
        #expect(try evaluate(.auto, on: others).subject?.isFamiliar == false)
    }

    @Test("a data set with classes that the model does not know is refused by name")
    func foreignClasses() throws {
        let model = try bench.trained() + "/best.ckpt"
        let other = try bench.drawClasses("other")
        try FileManager.default.moveItem(atPath: other + "/dark", toPath: other + "/gloomy")
        let failure = #expect(throws: RunFailure.self) {
            _ = try EvaluationRun(options: .init(), model: model, data: other, out: bench.path("eval"))
                .execute(in: bench.context())
        }
        #expect(failure?.reason == .badInput)
        #expect(failure?.message.contains("gloomy") == true)
    }
}
