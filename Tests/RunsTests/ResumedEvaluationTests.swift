import Foundation
import Images
import Support
import TestSupport
import Testing

@testable import Runs

@Suite("An evaluation that was interrupted", .oneAtATime)
struct ResumedEvaluationTests {
    let bench: Workbench
    let model: String
    let data: String

    init() throws {
        bench = try Workbench()
        data = try bench.drawClasses("pictures", count: 10)
        model = try bench.trained(data: data) + "/best.ckpt"
        try AtomicFile.write("hello".utf8, to: data + "/dark/broken.png")
        // Mistakes, one of them in the first batch.
        for (from, to) in [("dark", "light"), ("light", "dark")] {
            try FileManager.default.copyItem(atPath: "\(data)/\(from)/0.png", toPath: "\(data)/\(to)/00.png")
        }
    }

    private func run(_ out: String, batch: Int = 3) -> EvaluationRun {
        var options = EvaluationOptions()
        options.batch = batch
        options.unreadableLimit = 0.2
        return EvaluationRun(options: options, model: model, data: data, out: bench.path(out))
    }

    /// Stops a run once it has measured its first batch.
    private func interrupt(_ out: String) throws {
        let stop = StopFlag()
        let failure = #expect(throws: RunFailure.self) {
            _ = try run(out).execute(in: bench.context(stop: stop) { if case .progress = $0 { stop.raise() } })
        }
        #expect(failure?.reason == .preempted)
    }

    @Test("goes on at the next batch and ends with the same bytes")
    func goesOn() throws {
        let whole = try run("whole").execute(in: bench.context())
        try interrupt("part")
        let log = EventLog()
        let result = try run("part").execute(in: bench.context { log.append($0) })
        #expect(log.lines.contains { $0.hasPrefix("going on after ") })
        for name in ["eval.json", "report.html"] {
            let (part, whole) = (bench.path("part/\(name)"), bench.path("whole/\(name)"))
            #expect(try bench.bytes(part) == bench.bytes(whole), "\(name)")
        }
        #expect(try bench.text(bench.path("part/report.html")).contains("surest mistakes"))
        #expect(result.figures == whole.figures && result.figures["unreadable"] == 1)
        #expect(try bench.names(bench.path("part")) == bench.names(bench.path("whole")))
    }

    @Test("after a kill it goes on from what was kept, and begins anew where that is garbage, old or of other options")
    func killed() throws {
        _ = try run("whole").execute(in: bench.context())
        let whole = try bench.bytes(bench.path("whole/eval.json"))
        try interrupt("part")
        let kept = bench.path("part/" + EvaluationBookmark.name)
        var older = try #require(try JSONSerialization.jsonObject(with: bench.bytes(kept)) as? [String: Any])
        var tally = try #require(older["tally"] as? [String: Any])
        #expect(tally.removeValue(forKey: "mistakes") != nil)
        older["tally"] = tally
        let withoutMistakes = String(decoding: try JSONSerialization.data(withJSONObject: older), as: UTF8.self)
        for garbage in ["", "{}", String(try bench.text(kept).dropLast(9)), withoutMistakes] {
            try Data(garbage.utf8).write(to: URL(fileURLWithPath: kept))
            let log = EventLog()
            _ = try run("part").execute(in: bench.context { log.append($0) })
            #expect(!log.lines.contains { $0.hasPrefix("going on") })
            #expect(try bench.bytes(bench.path("part/eval.json")) == whole)
        }
        try interrupt("part")
        let log = EventLog()
        _ = try run("part", batch: 4).execute(in: bench.context { log.append($0) })
        #expect(!log.lines.contains { $0.hasPrefix("going on") })
    }

    @Test("the next attempt of a job takes it over")
    func nextAttempt() throws {
        try interrupt("part")
        try FileManager.default.createDirectory(atPath: bench.path("models"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: model, toPath: bench.path("models/m.ckpt"))
        let work = bench.path("work")
        try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
        let arguments = Data(#"{"model": "m", "dataset": "pictures", "batch": 3, "unreadable_limit": 0.2}"#.utf8)
        let specification = JobSpecification(
            job: 1, attempt: 2, kind: .evaluate, args: try JSONDecoder().decode(JSONValue.self, from: arguments),
            input: nil, work: work,
            previous: bench.path("part"), roots: .init(datasets: bench.folder, models: bench.path("models")), threads: 1
        )
        let log = EventLog()
        _ = try JobRun.execute(specification, context: bench.context { log.append($0) })
        #expect(log.lines.contains { $0.hasPrefix("going on after ") })
    }
}
