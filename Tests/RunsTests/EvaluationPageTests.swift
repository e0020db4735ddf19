import Foundation
import Images
import Support
import TestSupport
import Testing

@testable import Runs

@Suite("An evaluation's page", .oneAtATime)
struct EvaluationPageTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    private func evaluate(
        _ data: String, model: String, to out: String = "eval", in context: RunContext? = nil
    ) throws -> (report: EvaluationReport, page: String, result: RunResult) {
        var options = EvaluationOptions()
        options.batch = 7
        options.unreadableLimit = 0.2
        let result = try EvaluationRun(options: options, model: model, data: data, out: bench.path(out))
            .execute(in: context ?? bench.context())
        let report = try JSONDecoder().decode(
            EvaluationReport.self, from: bench.bytes(bench.path("\(out)/eval.json")))
        return (report, try bench.text(bench.path("\(out)/report.html")), result)
    }

    /// Pictures by the class's folder, so many in each; `swapped` of each lie in the other's.
    private func drawMixed(_ name: String, count: Int, swapped: Int) throws -> String {
        let data = try bench.drawClasses(name, count: count)
        for number in 0..<swapped {
            for (from, to) in [("dark", "light"), ("light", "dark")] {
                try FileManager.default.moveItem(
                    atPath: "\(data)/\(from)/\(number).png", toPath: "\(data)/\(to)/swapped-\(number).png")
            }
        }
        return data
    }

    private func occurrences(of part: String, in page: String) -> Int { page.components(separatedBy: part).count - 1 }

    @Test("the mistakes are those that a classification of the same pictures shows, and the page has the figures")
    func recount() throws {
        let model = try bench.trained() + "/best.ckpt"
        #expect(try !bench.names(bench.path("out")).contains("report.html"), "a training leaves no page")
        let data = try drawMixed("mixed", count: 20, swapped: 5)
        try AtomicFile.write("hello".utf8, to: data + "/dark/broken.png")
        let (report, page, result) = try evaluate(data, model: model)
        #expect(result.files["page"] == "report.html" && result.files["report"] == "eval.json")

        _ = try ClassificationRun(options: .init(), model: model, images: data, out: bench.path("predictions.csv"))
            .execute(in: bench.context())
        var rows: [PredictionRow] = []
        try PredictionRow.forEach(inTable: bench.path("predictions.csv")) { rows.append($0) }
        rows.removeAll { $0.probability == nil }
        func actual(_ row: PredictionRow) -> String { String(row.path.prefix { $0 != "/" }) }
        let wrong = rows.filter { actual($0) != $0.label }
        #expect(rows.count == 40 && report.images == 40 && !wrong.isEmpty && wrong.count <= 24)

        let mistakes = try #require(report.mistakes)
        #expect(Set(mistakes.map(\.record)) == Set(wrong.map(\.path)) && mistakes.count == wrong.count)
        for mistake in mistakes {
            let row = try #require(wrong.first { $0.path == mistake.record })
            #expect(mistake.actual == actual(row) && mistake.predicted == row.label)
            #expect(abs(mistake.probability - (row.probability ?? -1)) < 1e-5)
            #expect(try ImageFolderDataset(folder: data).recordName(at: mistake.index) == mistake.record)
            let names = "\(mistake.actual) → \(mistake.predicted)"
            let figure = "\(names)</b>\(percent(mistake.probability)), \(mistake.record)</figcaption>"
            #expect(occurrences(of: figure, in: page) == 1, "\(figure)")
        }
        #expect(mistakes.map(\.probability) == mistakes.map(\.probability).sorted(by: >))
        #expect(occurrences(of: "<img src=\"data:image/jpeg;base64,/9j/", in: page) == wrong.count)

        #expect(page.hasPrefix("<!doctype html>\n<!-- shufflenetd -->\n<html lang=\"en\">"))
        #expect(page.contains("<h1>best.ckpt</h1>") && page.contains("f32 on all 41 records of &#39;\(data)&#39;"))
        #expect(page.contains("<b>40</b>images") && page.contains("<b>1</b>unreadable"))
        #expect(page.contains("<b>\(percent(1 - Double(wrong.count) / 40))</b>top-1"))
        #expect(page.contains("<b>100.0 %</b>top-5") && !page.contains("was trained on these"))
        for (label, names) in [("dark", ["dark", "light"]), ("light", ["dark", "light"])] {
            let cells = names.map { name in
                let count = rows.count { actual($0) == label && $0.label == name }
                return "<td class=\"\(name == label ? "hit" : "miss")\" style=\"--share: \(count * 100 / 20)%\">"
                    + (count == 0 ? "" : "\(count)") + "</td>"
            }
            #expect(page.contains("<tr><th>\(label)</th>\(cells.joined())</tr>"))
        }
        #expect(!page.contains("{{") && !page.contains("://"))
        // Of the same records the same page, at any number of threads.
        #expect(try evaluate(data, model: model, in: bench.context(threads: 2)).page == page)
    }

    @Test("what a model makes of its own training is said so, and of no mistakes there is no section")
    func familiar() throws {
        let data = try bench.drawClasses()
        let (report, page, _) = try evaluate(data, model: try bench.trained(data: data) + "/best.ckpt")
        #expect(report.subject?.isFamiliar == true && page.contains("The model was trained on these records"))
        let hasMistakes = report.top1 < 1
        #expect(report.mistakes?.isEmpty == !hasMistakes)
        #expect(page.contains("surest mistakes") == hasMistakes && page.contains("frequent confusions") == hasMistakes)
    }

    @Test("the surest mistakes are kept, surest first, of equals the first records")
    func surest() throws {
        var generator = SeededGenerator(seed: 7)
        for count in [0, 1, 23, 24, 25, 300] {
            var tally = EvaluationTally(classNames: ["a", "b"])
            // Few values, so that there are ties.
            let cases = (0..<count).map { _ in (Float(Int(generator.nextUnit() * 6)), Int(generator.nextUnit() * 2)) }
            for (index, (lead, label)) in cases.enumerated() {
                [0, lead].withUnsafeBufferPointer {
                    tally.add(record: index, name: "r\(index)", logits: $0, label: label)
                }
            }
            // Without a lead the first class is the best.
            let wrong = cases.enumerated().filter { $0.element.1 != ($0.element.0 > 0 ? 1 : 0) }
            let wanted = wrong.sorted { (-$0.element.0, $0.offset) < (-$1.element.0, $1.offset) }.prefix(24)
            let mistakes = try #require(tally.report(unreadable: 0).mistakes)
            #expect(mistakes.map(\.index) == wanted.map(\.offset))
            for (mistake, (index, (lead, label))) in zip(mistakes, wanted) {
                #expect(mistake.record == "r\(index)" && mistake.actual == ["a", "b"][label])
                #expect(mistake.predicted == (lead > 0 ? "b" : "a"))
                #expect(abs(mistake.probability - 1 / (1 + exp(-Double(lead)))) < 1e-12)
            }
        }
    }

    @Test("names are text, whatever stands in them")
    func hostileNames() throws {
        let names = ["<b>a&amp;\"", "{{classes}}\u{301}"]
        let data = try bench.drawClasses()
        for (old, new) in zip(["dark", "light"], names) {
            try FileManager.default.moveItem(atPath: "\(data)/\(old)", toPath: "\(data)/\(new)")
        }
        let model = try bench.trained(data: data) + "/best.ckpt"
        for (from, to) in [(0, 1), (1, 0)] {
            try FileManager.default.copyItem(
                atPath: "\(data)/\(names[from])/0.png", toPath: "\(data)/\(names[to])/<script>alert(1)<_script>.png")
        }
        let (report, page, _) = try evaluate(data, model: model)
        #expect(report.classes.map(\.name) == names)
        let escaped = ["&lt;b&gt;a&amp;amp;&quot;", "{{classes}}\u{301}"]
        for name in escaped { #expect(page.contains("<td class=\"name\">\(name)</td>"), "\(name)") }
        #expect(page.contains("/&lt;script&gt;alert(1)&lt;_script&gt;.png</figcaption>"))
        #expect(!page.contains("<script") && !page.contains("<b>a"))
    }

    @Test("a name that is taken is refused before the work; a page that cannot be written costs no figure")
    func places() throws {
        let data = try bench.drawClasses()
        let model = try bench.trained(data: data) + "/best.ckpt"
        let taken = bench.path("eval/report.html")
        try FileManager.default.createDirectory(atPath: bench.path("eval"), withIntermediateDirectories: true)
        let log = EventLog()
        let theirs = Data("<!doctype html>\n<title>mine</title>".utf8)
        try theirs.write(to: URL(fileURLWithPath: taken))
        let failure = #expect(throws: RunFailure.self) {
            _ = try evaluate(data, model: model, in: bench.context { log.append($0) })
        }
        #expect(failure?.reason == .badInput)
        #expect(failure?.message.contains("report.html' is no page of this program; wanted ") == true)
        #expect(!log.all.contains(.started))
        #expect(try bench.names(bench.path("eval")) == ["report.html"] && bench.bytes(taken) == theirs)

        try FileManager.default.removeItem(atPath: taken)
        let context = bench.context { event in
            log.append(event)
            if event == .started { mkdir(taken, 0o700) }
        }
        let result = try EvaluationRun(options: .init(), model: model, data: data, out: bench.path("eval"))
            .execute(in: context)
        #expect(result.files == ["report": "eval.json", "log": "eval_log.txt"])
        #expect(log.lines.contains { $0.hasPrefix("the report could not be written; eval.json is whole: ") })
        #expect(try bench.names(bench.path("eval")) == ["eval.json", "eval_log.txt", "report.html"])
    }

    @Test("records of CIFAR-10 have pictures too, each its own")
    func cifar() throws {
        let folder = bench.path("cifar")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let bytes = try Fixture.bytes("engine/cifar10_first_96.bin")
        for name in ["data_batch_1.bin", "test_batch.bin"] { try AtomicFile.write(bytes, to: "\(folder)/\(name)") }
        var options = bench.quickOptions
        options.epochs = 1
        options.batch = 16
        let model = try bench.trained(options: options, data: folder) + "/last.ckpt"
        let (report, page, _) = try evaluate(folder, model: model)
        let mistakes = try #require(report.mistakes)
        #expect(mistakes.count == 24 && report.images == 96)
        let sources = page.components(separatedBy: "<img src=\"data:image/jpeg;base64,").dropFirst()
            .map { $0.prefix { $0 != "\"" } }
        #expect(sources.count == 24)
        let image = RGBImage()
        for (mistake, source) in zip(mistakes, sources) {
            #expect(mistake.record == "test_batch.bin#\(mistake.index)")
            #expect(CIFAR10Dataset.standardClassNames[Int(bytes[mistake.index * 3073])] == mistake.actual)
            let jpeg = try #require(Data(base64Encoded: String(source)))
            try jpeg.withUnsafeBytes { _ = try ImageDecoder().decode(bytes: $0, into: image) }
            #expect(image.width == Thumbnails.side && image.height == Thumbnails.side)
            let pixels = image.width * image.height
            for colour in 0..<3 {
                let plane = bytes[(mistake.index * 3073 + 1 + colour * 1024)...].prefix(1024)
                let wanted = plane.reduce(0) { $0 + Double($1) } / 1024
                let found = (0..<pixels).reduce(0) { $0 + Double(image.pixels[$1 * 3 + colour]) } / Double(pixels)
                #expect(abs(found - wanted) < 2, "\(mistake.record), colour \(colour)")
            }
        }
    }

    @Test("of many classes the confusions are listed and the weakest named; those without pictures come last")
    func manyClasses() throws {
        let drawn = try bench.drawClasses("drawn", count: 2)
        let data = bench.path("many")
        for number in 100..<303 {
            let folder = "\(data)/c\(number)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: "\(drawn)/dark/0.png", toPath: folder + "/0.png")
        }
        var options = bench.quickOptions
        options.epochs = 1
        options.batch = 64
        let model = try bench.trained(options: options, data: data) + "/last.ckpt"
        let (report, page, _) = try evaluate(data, model: model)
        #expect(report.confusion.count == 203 && !page.contains("Confusion matrix"))
        // All pictures are the same, so all are taken for one class.
        let predicted = try #require(report.confusion[0].firstIndex(of: 1))
        let others = (0..<203).filter { $0 != predicted }
        let rows = others.prefix(20).map {
            """
            <tr><td class="name">c\(100 + $0) → c\(100 + predicted)</td><td class="number">1</td>
            <td class="bar"><div style="width: 100%"></div></td><td class="number">100.0 %</td></tr>

            """
        }
        #expect(page.contains(rows.joined() + "</table>"))
        let classes = page.components(separatedBy: "weakest first</h2>").last ?? ""
        #expect(occurrences(of: "<td class=\"name\">", in: classes) == 200 && page.contains("and 3 more in eval.json"))
        #expect(report.mistakes?.map(\.index) == Array(others.prefix(24)))

        for number in 102..<303 { try FileManager.default.removeItem(atPath: "\(data)/c\(number)") }
        let few = try evaluate(data, model: model, to: "few").page
        let names = (few.components(separatedBy: "weakest first</h2>").last ?? "")
            .components(separatedBy: "<td class=\"name\">").dropFirst().map { String($0.prefix(4)) }
        #expect(names.prefix(2).sorted() == ["c100", "c101"])
        #expect(Array(names.dropFirst(2)) == (102..<300).map { "c\($0)" })
    }

    @Test("what an earlier version wrote can still be read")
    func olderFigures() throws {
        let model = try bench.trained() + "/best.ckpt"
        let report = try evaluate(try drawMixed("mixed", count: 4, swapped: 1), model: model).report
        let written = try JSONSerialization.jsonObject(with: bench.bytes(bench.path("eval/eval.json")))
        var object = try #require(written as? [String: Any])
        let mistakes = try #require(object.removeValue(forKey: "mistakes") as? [[String: Any]])
        #expect(mistakes.allSatisfy { Set($0.keys) == ["index", "record", "actual", "predicted", "probability"] })
        let older = try JSONDecoder().decode(
            EvaluationReport.self, from: JSONSerialization.data(withJSONObject: object))
        #expect(older.mistakes == nil && older.classes == report.classes)
    }
}
