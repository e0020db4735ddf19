import Checkpoints
import ShuffleNet
import TestSupport
import Testing

@testable import Runs

@Suite("Evaluation figures", .oneAtATime)
struct EvaluationReportTests {
    /// Three classes; actual and predicted as listed, so that every figure can be counted by hand.
    func report(_ pairs: [(actual: Int, predicted: Int)]) -> EvaluationReport {
        var tally = EvaluationTally(classNames: ["a", "b", "c"])
        for (actual, predicted) in pairs {
            var logits: [Float] = [0, 0, 0]
            logits[predicted] = 1
            logits.withUnsafeBufferPointer { tally.add(record: 0, name: "", logits: $0, label: actual) }
            tally.add(lossSum: 0.5)
        }
        return tally.report(unreadable: 2)
    }

    @Test("the precisions agree where their best classes are the same; numbers that are not finite agree with nothing")
    func agreement() {
        var tally = EvaluationTally(classNames: ["a", "b", "c"], precision: .bfloat16, checksBFloat16: true)
        let cases: [([Float], [Float])] = [
            ([0, 1, 0], [0, 3, 2]), ([0, 1, 0], [2, 1, 0]), ([1, 0, 0], [1, .nan, 0]), ([1, 0, 0], [.infinity, 0, 0]),
        ]
        for (logits, other) in cases {
            logits.withUnsafeBufferPointer { logits in
                other.withUnsafeBufferPointer { tally.add(record: 0, name: "", logits: logits, label: 0, other: $0) }
            }
        }
        let report = tally.report(unreadable: 0)
        #expect(report.precision == .bfloat16)
        #expect(report.bfloat16Check == BFloat16Check(images: 4, agreeing: 1))
        #expect(self.report([(0, 0)]).bfloat16Check == nil)
    }

    @Test("precision, recall and F1 are those of the confusion counts")
    func counts() {
        let report = report([(0, 0), (0, 0), (0, 1), (1, 1), (2, 1), (2, 2)])
        #expect(report.confusion == [[2, 1, 0], [0, 1, 0], [0, 1, 1]])
        #expect(report.images == 6)
        #expect(report.unreadable == 2)
        #expect(report.top1 == 4.0 / 6)
        #expect(report.top5 == 1)
        #expect(report.loss == 0.5)
        #expect(report.classes.map(\.support) == [3, 1, 2])
        #expect(report.classes.map(\.precision) == [1, 1.0 / 3, 1])
        #expect(report.classes.map(\.recall) == [2.0 / 3, 1, 0.5])
        #expect(abs(report.classes[1].f1 - 0.5) < 1e-12)
    }

    @Test("a class never predicted and never seen has zeros, not NaN")
    func emptyClass() {
        let report = report([(0, 0)])
        #expect(report.classes[2].precision == 0 && report.classes[2].recall == 0 && report.classes[2].f1 == 0)
    }

    @Test("equal logits rank by index")
    func ties() {
        let logits: [Float] = [1, 3, 3, 2]
        logits.withUnsafeBufferPointer { #expect(topIndices(of: $0, 3) == [1, 2, 3]) }
    }

    @Test("softmax of large logits stays finite and sums to one")
    func softmaxIsStable() {
        let logits: [Float] = [1000, 999, -1000]
        let probabilities = logits.withUnsafeBufferPointer { softmax($0) }
        #expect(abs(probabilities.reduce(0, +) - 1) < 1e-12)
        #expect(abs(probabilities[0] - 0.7310585786300049) < 1e-9)
    }
}
