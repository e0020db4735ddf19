import Foundation
import Support
import TestSupport
import Testing

@testable import Runs

@Suite("A classification in parts", .oneAtATime)
struct ShardedClassificationTests {
    let bench: Workbench
    let model: String
    let images: String

    init() throws {
        bench = try Workbench()
        model = try bench.trained() + "/best.ckpt"
        images = try bench.drawClasses("pictures", count: 4)
        try AtomicFile.write("no picture".utf8, to: images + "/a \"quoted\", name.txt")
    }

    /// Tables of so many parts, in order.
    private func parts(_ count: Int) throws -> [String] {
        try (1...count).map { try part($0, of: count) }
    }

    private func part(_ index: Int, of count: Int) throws -> String {
        var run = ClassificationRun(
            options: .init(), model: model, images: images, out: bench.path("part-\(index).csv"))
        run.shard = .init(index: index, count: count)
        _ = try run.execute(in: bench.context())
        return run.out
    }

    private func merge(_ parts: [String]) throws -> RunResult {
        try JobRun.execute(
            JobSpecification(
                job: 1, attempt: 1, kind: .classify, args: .object(["images": .string("pictures")]), input: nil,
                work: bench.folder, previous: nil, roots: .init(datasets: bench.folder, models: bench.folder),
                threads: 1, parts: parts),
            context: bench.context())
    }

    @Test("any number of parts, more than there are files too, gives the bytes of a run in one", arguments: [2, 3, 12])
    func sameBytes(count: Int) throws {
        let whole = bench.path("whole.csv")
        _ = try ClassificationRun(options: .init(), model: model, images: images, out: whole)
            .execute(in: bench.context())
        let result = try merge(parts(count))
        #expect(try bench.bytes(bench.path("predictions.csv")) == bench.bytes(whole))
        #expect(result.figures["files"] == 9)
        #expect(result.files == ["predictions": "predictions.csv", "report": "report.html"])
    }

    @Test("a folder that changed between the parts is told, and nothing is published")
    func changedFolder() throws {
        let parts = try parts(3)
        try AtomicFile.write("late".utf8, to: images + "/late.txt")
        let failure = #expect(throws: RunFailure.self) { _ = try merge(parts) }
        #expect(failure?.reason == .badInput)
        #expect(failure?.message.contains("was changed while it was classified") == true)
        #expect(throws: RunFailure.self) { _ = try merge([parts[0], parts[1], parts[1]]) }
        #expect(!FileManager.default.fileExists(atPath: bench.path("predictions.csv")))
    }

    @Test("a file that was renamed between the parts is told, though the number of rows is right")
    func renamedFile() throws {
        var parts = [try part(1, of: 2)]
        try FileManager.default.moveItem(atPath: images + "/dark/0.png", toPath: images + "/light/9.png")
        parts.append(try part(2, of: 2))
        let failure = #expect(throws: RunFailure.self) { _ = try merge(parts) }
        #expect(failure?.message.contains("was changed while it was classified") == true)
    }

    @Test("parts of two models are told, and nothing is published")
    func replacedModel() throws {
        var parts = [try part(1, of: 2)]
        var options = bench.quickOptions
        options.seed = 7
        let other = try bench.trained("other", options: options, data: bench.path("set")) + "/best.ckpt"
        try FileManager.default.removeItem(atPath: model)
        try FileManager.default.moveItem(atPath: other, toPath: model)
        parts.append(try part(2, of: 2))
        let failure = #expect(throws: RunFailure.self) { _ = try merge(parts) }
        #expect(failure?.message.contains("the model was replaced while the parts were classified") == true)
        #expect(!FileManager.default.fileExists(atPath: bench.path("predictions.csv")))
    }

    @Test("a part that can't be read from here is told with what to do")
    func missingPart() throws {
        let failure = #expect(throws: RunFailure.self) { _ = try merge([bench.path("nowhere.csv")]) }
        #expect(failure?.message.contains("storage that all daemons share") == true)
    }
}
