import Foundation
import Support
import Testing

@testable import Runs

@Suite("Evaluation and classification runs")
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

    @Test("the table takes no other thing's place")
    func place() throws {
        let model = try bench.trained() + "/best.ckpt"
        let images = try bench.drawClasses("pictures", count: 1)
        mkfifo(bench.path("pipe"), 0o600)
        symlink(bench.path("away.csv"), bench.path("link"))
        for (out, what) in [
            (bench.path("pipe"), "a pipe"), (bench.path("link"), "a symbolic link"), (model, "the model itself"),
            (images + "/dark/0.png", "a PNG file"), (bench.path("new/"), "the name of a folder"), (images, "a folder"),
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
            /^result:\{'Loss': [0-9.e-]+, 'Top_1_Acc': [0-9.]+, 'Top_5_Acc': 1\.0\}, ckpt:'best\.ckpt', time: 0h 0m \d+s$/
        #expect(lines.allSatisfy { $0.wholeMatch(of: form) != nil })
        let report = try JSONDecoder().decode(EvaluationReport.self, from: bench.bytes(bench.path("eval/eval.json")))
        #expect(report.images == 24)
        #expect(report.confusion.flatMap(\.self).reduce(0, +) == 24)
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
