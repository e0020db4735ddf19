public import Checkpoints
import Glibc
public import ShuffleNet

/// The figures of one evaluation: what `eval.json` holds.
///
/// Per-class precision, recall and F1 follow the usual definitions; a ratio whose denominator is zero (a class never
/// predicted, or never seen) is 0, as scikit-learn's `zero_division=0` has it.
public struct EvaluationReport: Codable, Sendable, Equatable {
    public struct ClassFigures: Codable, Sendable, Equatable {
        public var name: String
        /// Images of this class.
        public var support: Int
        public var precision: Double
        public var recall: Double
        public var f1: Double
    }

    /// What was measured, on what.
    public struct Subject: Codable, Sendable, Equatable {
        /// The path, and a hash of the weights and the card that were read from it.
        public var checkpoint: String
        public var identity: String
        public var data: String
        public var part: EvaluationOptions.Part
        /// Whether the model was trained on these records.
        public var isFamiliar: Bool

        private enum CodingKeys: String, CodingKey {
            case checkpoint, identity, data, part
            case isFamiliar = "trained_on"
        }
    }

    /// A record whose best class is not its label.
    public struct Mistake: Codable, Sendable, Equatable {
        /// Its number among the records that were measured.
        public var index: Int
        /// Its name in the data set.
        public var record: String
        /// Names of classes.
        public var actual: String
        public var predicted: String
        /// Of the predicted class.
        public var probability: Double
    }

    /// Nil for a pass within a training.
    public var subject: Subject?
    public var precision: Precision
    public var images: Int
    /// Images that could not be read and count nowhere else.
    public var unreadable: Int
    /// Mean label-smoothed cross-entropy.
    public var loss: Double
    public var top1: Double
    public var top5: Double
    public var classes: [ClassFigures]
    /// `confusion[actual][predicted]`, in the order of `classes`.
    public var confusion: [[Int]]
    /// The surest, surest first, of equals in the order of the records; nil in what an earlier version wrote.
    public var mistakes: [Mistake]?
    /// How far bfloat16 agrees with float32; nil where that was not measured.
    public var bfloat16Check: BFloat16Check?

    private enum CodingKeys: String, CodingKey {
        case subject, precision, images, unreadable, loss, classes, confusion, mistakes
        case bfloat16Check = "bf16_check"
        case top1 = "top_1"
        case top5 = "top_5"
    }
}

/// Counts while an evaluation goes on.
struct EvaluationTally: Codable {
    private let classNames: [String]
    private let precision: Precision
    private var check: BFloat16Check?
    private var confusion: [[Int]]
    private var lossSum = 0.0
    private var top1 = 0
    private var top5 = 0
    private var images = 0
    private var mistakes: [EvaluationReport.Mistake] = []

    /// Mistakes that are kept.
    static let shownMistakes = 24

    init(classNames: [String], precision: Precision = .float32, checksBFloat16: Bool = false) {
        self.classNames = classNames
        self.precision = precision
        check = checksBFloat16 ? BFloat16Check() : nil
        confusion = Array(repeating: Array(repeating: 0, count: classNames.count), count: classNames.count)
    }

    /// Adds one image, in the order of the records: its number and name, its logits, `[classes]`, its label, and its logits
    /// in the other precision if those are compared.
    mutating func add(
        record index: Int, name: @autoclosure () -> String, logits: UnsafeBufferPointer<Float>, label: Int,
        other: UnsafeBufferPointer<Float>? = nil
    ) {
        let ranked = topIndices(of: logits, 5)
        if let other {
            check?.images += 1
            check?.agreeing += other.allSatisfy(\.isFinite) && topIndices(of: other, 1) == [ranked[0]] ? 1 : 0
        }
        confusion[label][ranked[0]] += 1
        top1 += ranked[0] == label ? 1 : 0
        top5 += ranked.contains(label) ? 1 : 0
        images += 1
        if ranked[0] != label {
            let probability = softmax(logits)[ranked[0]]
            let place = mistakes.firstIndex { $0.probability < probability } ?? mistakes.count
            guard place < Self.shownMistakes else { return }
            mistakes.insert(
                .init(
                    index: index, record: name(), actual: classNames[label], predicted: classNames[ranked[0]],
                    probability: probability),
                at: place)
            if mistakes.count > Self.shownMistakes { mistakes.removeLast() }
        }
    }

    /// Adds the loss of images, summed.
    mutating func add(lossSum sum: Double) {
        lossSum += sum
    }

    func report(unreadable: Int) -> EvaluationReport {
        let predicted = classNames.indices.map { column in confusion.reduce(0) { $0 + $1[column] } }
        let classes = classNames.indices.map { index -> EvaluationReport.ClassFigures in
            let support = confusion[index].reduce(0, +)
            let hits = Double(confusion[index][index])
            let precision = predicted[index] == 0 ? 0 : hits / Double(predicted[index])
            let recall = support == 0 ? 0 : hits / Double(support)
            let f1 = precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall)
            return .init(name: classNames[index], support: support, precision: precision, recall: recall, f1: f1)
        }
        let divisor = Double(max(images, 1))
        return EvaluationReport(
            precision: precision, images: images, unreadable: unreadable, loss: lossSum / divisor,
            top1: Double(top1) / divisor,
            top5: Double(top5) / divisor, classes: classes, confusion: confusion,
            mistakes: mistakes, bfloat16Check: check)
    }
}

/// The indices of the `count` largest values, largest first; equal values in the order of their index.
func topIndices(of values: UnsafeBufferPointer<Float>, _ count: Int) -> [Int] {
    Array(values.indices.sorted { values[$0] != values[$1] ? values[$0] > values[$1] : $0 < $1 }.prefix(count))
}

/// The first row of logits, `[rows][classes]`, that holds an infinity or a NaN.
func firstNotFinite(_ logits: UnsafePointer<Float>, rows: Int, classes: Int) -> Int? {
    (0..<rows * classes).first { !logits[$0].isFinite }.map { $0 / classes }
}

/// Softmax of one row of logits, in `Double` and shifted by the maximum, so that no exponent overflows.
func softmax(_ logits: UnsafeBufferPointer<Float>) -> [Double] {
    let largest = Double(logits.max() ?? 0)
    let exponentials = logits.map { Glibc.exp(Double($0) - largest) }
    let sum = exponentials.reduce(0, +)
    return exponentials.map { $0 / sum }
}
