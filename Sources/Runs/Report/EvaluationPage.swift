import Foundation
import Images
import Pages
import ShuffleNet

/// What the template of an evaluation's page is filled with; its words are the template's names.
struct EvaluationPage {
    struct Confusion {
        var actual: String
        var predicted: String
        var count: Int
        /// Of the actual class's images; for the bar in whole hundredths.
        var percent: String
        var share: Int
    }

    struct ClassRow {
        var name: String
        var support: Int
        var precision: String
        var recall: String
        /// The recall for the bar: a whole number of hundredths.
        var share: Int
        var f1: String
    }

    struct Mistakes {
        var figures: [Figure]
    }

    /// The most frequent that are shown.
    static let shownConfusions = 20
    /// The weakest that are shown.
    static let shownClasses = 200

    var checkpoint: String
    var path: String
    var records: String
    var precision: String
    var isFamiliar: Bool
    var tiles: [Tile]
    /// Nil: more classes than a person can take in at once.
    var matrix: ConfusionMatrix?
    var confusions: Table<Confusion>?
    var classes: [ClassRow]
    /// So many more are in eval.json; nil: none.
    var furtherClasses: Int?
    var mistakes: Mistakes?

    /// The whole page, its pictures read anew from the records that were measured.
    static func html(
        of report: EvaluationReport, subject: EvaluationReport.Subject, on measured: MeasuredRecords,
        reading options: PictureOptions, in context: RunContext
    ) throws -> String {
        let mistaken = (report.mistakes ?? []).map(\.index)
        let pictures = try Thumbnails.make(of: measured.dataset, at: mistaken, reading: options, in: context)
        return template.render(
            EvaluationPage(report, subject: subject, records: measured.description, pictures: pictures))
    }

    /// - Parameters:
    ///   - records: what was measured, in words.
    ///   - pictures: sources by the mistakes' index.
    init(
        _ report: EvaluationReport, subject: EvaluationReport.Subject, records: String, pictures: [Int: String]
    ) {
        checkpoint = SafeText.escaped((subject.checkpoint as NSString).lastPathComponent)
        path = SafeText.escaped(subject.checkpoint)
        self.records = SafeText.escaped(records)
        precision = report.precision.rawValue
        isFamiliar = subject.isFamiliar
        tiles = [
            Tile("\(report.images)", report.images == 1 ? "image" : "images"), Tile(percent(report.top1), "top-1"),
            Tile(percent(report.top5), "top-5"), Tile("\((report.loss * 1000).rounded() / 1000)", "loss"),
        ]
        if report.unreadable > 0 { tiles.append(Tile("\(report.unreadable)", "unreadable")) }
        let names = report.classes.map { SafeText.escaped($0.name) }
        matrix = ConfusionMatrix(report.confusion, names: names)
        confusions = Table(
            Self.confusions(report.confusion).map { pair in
                let support = report.classes[pair.actual].support
                return Confusion(
                    actual: names[pair.actual], predicted: names[pair.predicted], count: pair.count,
                    percent: percent(Double(pair.count) / Double(support)), share: pair.count * 100 / support)
            })
        let weakest = report.classes.indices.sorted {
            let (left, right) = (report.classes[$0], report.classes[$1])
            return (left.support == 0 ? 1 : 0, left.f1, $0) < (right.support == 0 ? 1 : 0, right.f1, $1)
        }
        classes = weakest.prefix(Self.shownClasses).map { index in
            let figures = report.classes[index]
            return ClassRow(
                name: names[index], support: figures.support, precision: percent(figures.precision),
                recall: percent(figures.recall), share: Int((figures.recall * 100).rounded()), f1: percent(figures.f1))
        }
        furtherClasses = weakest.count > classes.count ? weakest.count - classes.count : nil
        let figures = (report.mistakes ?? []).map { mistake in
            Figure(
                "\(SafeText.escaped(mistake.actual)) → \(SafeText.escaped(mistake.predicted))",
                "\(percent(mistake.probability)), \(SafeText.escaped(mistake.record))", source: pictures[mistake.index])
        }
        mistakes = figures.isEmpty ? nil : Mistakes(figures: figures)
    }

    /// The most frequent pairs of different classes, most frequent first, of equals in the order of the classes.
    private static func confusions(_ confusion: [[Int]]) -> [(actual: Int, predicted: Int, count: Int)] {
        let pairs = confusion.enumerated().flatMap { actual, row in
            row.enumerated().filter { $0.offset != actual && $0.element > 0 }
                .map { (actual: actual, predicted: $0.offset, count: $0.element) }
        }
        return Array(
            pairs.sorted { (-$0.count, $0.actual, $0.predicted) < (-$1.count, $1.actual, $1.predicted) }
                .prefix(shownConfusions))
    }
}
