import Foundation
import Images
import Support
import TestSupport
import Testing

@testable import Runs

@Suite("A classification's report", .oneAtATime)
struct ClassificationReportTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    private func row(_ place: Int, _ label: String, _ probability: Double?, status: Prediction.Status = .ok)
        -> PredictionRow
    {
        PredictionRow(
            place: place, path: "\(place).png", status: status, label: label, probability: probability, error: "why",
            model: "m")
    }

    private func run(_ images: String, model: String, report: String?) throws -> ClassificationRun {
        var run = ClassificationRun(
            options: .init(), model: model, images: images, out: bench.path("predictions.csv"))
        run.report = report
        return run
    }

    @Test("of a label the surest and the least sure are shown, each once, however the table is ordered")
    func picks() {
        var generator = SeededGenerator(seed: 3)
        for count in [1, 3, 4, 5, 7, 8, 9, 40] {
            let probabilities = (0..<count).map { _ in Double(Int(generator.nextUnit() * 20)) / 20 }
            var tally = ReportTally()
            for (place, probability) in probabilities.enumerated() { tally.add(row(place, "a", probability)) }
            let group = tally.groups["a"]
            let shown = (group?.surest ?? []) + (group?.leastSure ?? []).reversed()
            #expect(Set(shown.map(\.place)).count == shown.count && shown.count == min(count, 8))
            let sorted = probabilities.sorted(by: >)
            #expect(shown.map(\.probability) == Array(sorted.prefix(4)) + Array(sorted.dropFirst(4).suffix(4)))
            #expect(group?.count == count)
        }
    }

    @Test("labels are ordered by their pictures, those without one come last, and files without a prediction are named")
    func order() {
        var tally = ReportTally()
        for place in 0..<3 { tally.add(row(place, "", 0.2, status: .abstain)) }
        for place in 3..<5 { tally.add(row(place, "b", 0.9)) }
        tally.add(row(5, "a", 0.9))
        tally.add(row(6, "c", 0.9))
        for place in 7..<300 { tally.add(row(place, "", nil, status: .unreadable)) }
        #expect(tally.ordered.map(\.label) == ["b", "a", "c", ""])
        #expect(tally.files == 300 && tally.failed == 293 && tally.failures.count == ReportTally.shownFailures)
        #expect(tally.statuses == [.abstain: 3, .ok: 4, .unreadable: 293])
    }

    @Test("the page has the table's figures, a picture of each file that has one, and the reasons of the others")
    func page() throws {
        let model = try bench.trained() + "/best.ckpt"
        let images = try bench.drawClasses("pictures", count: 3)
        try AtomicFile.write("hello".utf8, to: images + "/notes.txt")
        let report = bench.path("report.html")
        let result = try run(images, model: model, report: report).execute(in: bench.context())
        #expect(result.files["report"] == "report.html")
        let page = try bench.text(report)
        #expect(page.hasPrefix("<!doctype html>\n<!-- shufflenetd -->\n<html lang=\"en\">"))
        #expect(page.contains("<b>7</b>files") && page.contains("<b>6</b>with a label"))
        #expect(page.components(separatedBy: "<img src=\"data:image/jpeg;base64,/9j/").count == 7)
        for name in ["dark/0.png", "dark/2.png", "light/1.png"] {
            #expect(page.components(separatedBy: "</b>\(name)</figcaption>").count == 2)
        }
        #expect(page.contains("<td>notes.txt</td><td>unsupported</td><td>"))
        #expect(!page.contains("{{") && !page.contains("://"))
        // Of the same table the same page; and it is no picture of the next run, should it lie among them.
        let inside = images + "/report.html"
        _ = try run(images, model: model, report: inside).execute(in: bench.context(threads: 2))
        #expect(try bench.text(inside) == page)
        _ = try run(images, model: model, report: inside).execute(in: bench.context())
        #expect(try bench.text(inside) == page)
    }

    @Test("names are text, whatever stands in them")
    func hostileNames() throws {
        let model = try bench.trained() + "/best.ckpt"
        let images = try bench.drawClasses("a <b>&amp; \"c\"", count: 1)
        let names = ["<script>alert(1)<_script>.png", "\"\u{301} onload='x'.png", "{{model}}.png", "&lt;.txt"]
        for name in names {
            try FileManager.default.copyItem(atPath: images + "/dark/0.png", toPath: images + "/" + name)
        }
        let report = bench.path("report.html")
        _ = try run(images, model: model, report: report).execute(in: bench.context())
        let page = try bench.text(report)
        #expect(page.contains("<h1>a &lt;b&gt;&amp;amp; &quot;c&quot;</h1>"))
        #expect(page.contains("</b>&lt;script&gt;alert(1)&lt;_script&gt;.png<"))
        #expect(page.contains("</b>&quot;\u{301} onload=&#39;x&#39;.png<"))
        #expect(page.contains("</b>{{model}}.png<"))
        #expect(!page.contains("<script"))
    }

    @Test("a page that cannot be written costs no prediction; one in another file's place is refused before the work")
    func places() throws {
        let model = try bench.trained() + "/best.ckpt"
        let images = try bench.drawClasses("pictures", count: 1)
        let log = EventLog()
        let folder = bench.path("made")
        let context = bench.context { event in
            log.append(event)
            if event == .started { rmdir(folder) }
        }
        let result = try run(images, model: model, report: folder + "/report.html").execute(in: context)
        #expect(result.files == ["predictions": "predictions.csv"])
        #expect(log.lines.contains { $0.hasPrefix("the report could not be written; the table of predictions is") })
        let taken = bench.path("predictions.csv")
        let theirs = bench.path("theirs.html")
        try AtomicFile.write("<!doctype html>\n<title>mine</title>".utf8, to: theirs)
        for (place, word) in [(theirs, "is no page"), (images, "is a folder"), (taken, "is no page")] {
            let failure = #expect(throws: RunFailure.self) {
                _ = try run(images, model: model, report: place).execute(in: bench.context())
            }
            #expect(failure?.message.contains(word) == true, "\(failure?.message ?? "")")
        }
        try FileManager.default.removeItem(atPath: taken)
        let failure = #expect(throws: RunFailure.self) {
            _ = try run(images, model: model, report: bench.path("./predictions.csv")).execute(in: bench.context())
        }
        #expect(failure?.message.contains("wanted a name for each") == true, "\(failure?.message ?? "")")
    }

    @Test("fields come back as they were written")
    func fields() {
        let parts = ["", "a", "\"", ",", ";", "\r\n", "\u{301}", " "]
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<500 {
            let fields = (0..<4).map { _ in
                (0..<Int(generator.nextUnit() * 4)).map { _ in parts[Int(generator.nextUnit() * 8)] }.joined()
            }
            let line = CSV.line(fields)
            #expect(CSV.fields(line.utf8) == fields)
            var records = CSVRecords(Array((line + "next\r\n").utf8))
            #expect(records.next().map(CSV.fields) == fields)
        }
    }
}
