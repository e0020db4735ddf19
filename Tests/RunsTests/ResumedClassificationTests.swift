import Foundation
import Glibc
import Images
import Support
import Synchronization
import TestSupport
import Testing

@testable import Runs

@Suite("A classification that was interrupted", .oneAtATime)
struct ResumedClassificationTests {
    let bench: Workbench
    let model: String
    let images: String
    /// What a run gives that nothing interrupts.
    let whole: String

    init() throws {
        bench = try Workbench()
        model = try bench.trained() + "/best.ckpt"
        images = try bench.drawClasses("pictures", count: 10)
        try AtomicFile.write("hello".utf8, to: images + "/=1+1, \"quoted\".txt")
        _ = try Self.run(model, images, bench.path("whole.csv")).execute(in: bench.context())
        whole = try bench.text(bench.path("whole.csv"))
    }

    @Test("goes on after its rows: none missing, none twice")
    func goesOn() throws {
        let out = bench.path("out.csv")
        try interrupt(out)
        #expect(!FileManager.default.fileExists(atPath: out))
        let log = EventLog()
        let result = try Self.run(model, images, out).execute(in: bench.context { log.append($0) })
        #expect(log.lines.contains { $0.hasPrefix("going on after ") })
        #expect(try bench.text(out) == whole)
        #expect(result.figures["ok"] == 20 && result.figures["unsupported"] == 1)
        #expect(PredictionFile.partials(of: out).isEmpty)
    }

    @Test("one table is written by one process at a time, whatever the options of the other")
    func otherWriter() throws {
        let out = bench.path("out.csv")
        try interrupt(out)
        let partial = try #require(PredictionFile.partials(of: out).first)
        // Another run's, of other options.
        let other = bench.path(".out.csv.0123456789abcdef.partial")
        for name in [partial, other] {
            let writer = open(name, O_RDWR | O_CREAT, 0o644)
            #expect(flock(writer, LOCK_EX) == 0)
            let failure = #expect(throws: RunFailure.self) {
                _ = try Self.run(model, images, out).execute(in: bench.context())
            }
            #expect(failure?.message.contains("another process is writing") == true)
            close(writer)
        }
        _ = try Self.run(model, images, out).execute(in: bench.context())
        #expect(try bench.text(out) == whole)
    }

    @Test("whatever byte it was killed at", arguments: 0..<12)
    func anyByte(part: Int) throws {
        let out = bench.path("out.csv")
        try interrupt(out)
        let partial = try #require(PredictionFile.partials(of: out).first)
        let bytes = Array(whole.utf8)
        try Data(bytes.prefix(bytes.count * part / 11)).write(to: URL(fileURLWithPath: partial))
        _ = try Self.run(model, images, out).execute(in: bench.context())
        #expect(try bench.text(out) == whole)
    }

    @Test("rows that are not the listing's, or garbage, are not kept")
    func foreignRows() throws {
        let out = bench.path("out.csv")
        try interrupt(out)
        let partial = try #require(PredictionFile.partials(of: out).first)
        var lines = whole.components(separatedBy: "\r\n")
        lines.remove(at: 3)
        for text in [lines.joined(separator: "\r\n"), "\0\0\0\0", whole + whole, String(whole.dropFirst())] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: partial))
            _ = try Self.run(model, images, out).execute(in: bench.context())
            #expect(try bench.text(out) == whole)
        }
    }

    @Test("is not taken up with other options, nor when that is not wanted")
    func otherOptions() throws {
        let out = bench.path("out.csv")
        try interrupt(out)
        var other = Self.run(model, images, out)
        other.options.topK = 1
        let log = EventLog()
        _ = try other.execute(in: bench.context { log.append($0) })
        #expect(!log.lines.contains { $0.hasPrefix("going on") })
        try interrupt(out)
        var anew = Self.run(model, images, out)
        anew.resume = false
        _ = try anew.execute(in: bench.context { log.append($0) })
        #expect(!log.lines.contains { $0.hasPrefix("going on") })
        #expect(try bench.text(out) == whole)
    }

    @Test("two runs do not write one file")
    func twoWriters() throws {
        let out = bench.path("out.csv")
        let failure = Mutex<RunFailure?>(nil)
        let isFirst = Atomic<Bool>(true)
        _ = try Self.run(model, images, out).execute(
            in: bench.context { event in
                guard case .progress = event, isFirst.exchange(false, ordering: .relaxed) else { return }
                do throws(RunFailure) {
                    _ = try reportingAsFailure {
                        try Self.run(model, images, out).execute(in: bench.context())
                    }
                } catch {
                    failure.withLock { $0 = error }
                }
            })
        #expect(failure.withLock { $0 }?.message.contains("another process is writing") == true)
        #expect(try bench.text(out) == whole)
    }

    // MARK: -

    private static func run(_ model: String, _ images: String, _ out: String) -> ClassificationRun {
        var options = ClassificationOptions()
        options.batch = 3
        return ClassificationRun(options: options, model: model, images: images, out: out)
    }

    /// Stops a run once its first rows are written.
    private func interrupt(_ out: String) throws {
        let stop = StopFlag()
        let failure = #expect(throws: RunFailure.self) {
            _ = try Self.run(model, images, out).execute(
                in: bench.context(stop: stop) { if case .progress = $0 { stop.raise() } })
        }
        #expect(failure?.reason == .preempted)
    }
}
