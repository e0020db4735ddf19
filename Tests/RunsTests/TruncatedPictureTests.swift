import Foundation
import Support
import TestSupport
import Testing

@testable import Runs

@Suite("Truncated pictures", .oneAtATime)
struct TruncatedPictureTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    @Test("the rule is the same in training, evaluation and classification", arguments: [false, true])
    func sameRule(tolerates: Bool) throws {
        let model = try bench.trained("model") + "/best.ckpt"
        let data = try bench.drawClasses("broken/train")
        _ = try bench.drawClasses("broken/val")
        let whole = try bench.bytes(data + "/dark/0.png")
        try AtomicFile.write(whole.prefix(whole.count / 2), to: data + "/dark/half.png")
        // Nothing behind the header of its scan: grey would be no picture.
        let jpeg = try Fixture.bytes("images/drawn/420.jpg")
        let scan = try #require(jpeg.indices.first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xDA })
        try AtomicFile.write(jpeg.prefix(scan + 2 + Int(jpeg[scan + 3])), to: data + "/dark/nothing.jpg")
        var pictures = PictureOptions()
        pictures.tolerateTruncated = tolerates

        var classification = ClassificationOptions()
        classification.pictures = pictures
        let out = bench.path("predictions.csv")
        _ = try ClassificationRun(options: classification, model: model, images: data, out: out)
            .execute(in: bench.context())
        let rows = try bench.text(out)
        #expect(rows.contains("dark/half.png,\(tolerates ? "ok" : "unreadable"),"))
        #expect(rows.contains("dark/nothing.jpg,unreadable,"))

        var evaluation = EvaluationOptions()
        evaluation.pictures = pictures
        evaluation.unreadableLimit = 1
        _ = try EvaluationRun(options: evaluation, model: model, data: data, out: bench.path("eval"))
            .execute(in: bench.context())
        let report = try JSONDecoder().decode(EvaluationReport.self, from: bench.bytes(bench.path("eval/eval.json")))
        #expect(report.unreadable == (tolerates ? 1 : 2))

        var training = bench.quickOptions
        training.pictures = pictures
        training.unreadableLimit = 1
        training.epochs = 1
        let log = try bench.text(bench.trained("again", options: training, data: bench.path("broken")) + "/train.log")
        #expect(log.contains("skipped 'dark/half.png'") == !tolerates)
        #expect(log.contains("skipped 'dark/nothing.jpg'"))
    }
}
