import Foundation
import Images
import Pages

/// A page about a finished table of predictions, for people: what was found how often, pictures of each label, and the
/// files without a prediction. It says nothing that the table does not, and of the same table always the same.
struct ClassificationReport {
    /// The finished predictions.csv.
    var table: String
    /// Its files: row i is of file i.
    var listing: ImageListing
    var pictures = PictureOptions()

    /// Throws `RunFailure` when the page's name is taken by anything but an earlier page, or is the table's.
    static func checkPlace(_ path: String, besides table: String) throws(RunFailure) {
        try ReportFile(path: path).checkPlace(wanted: "the name of an HTML file, new or an earlier report")
        let places = [path, table].map { URL(fileURLWithPath: $0).standardizedFileURL.path }
        if places[0] == places[1] {
            throw .badInput("the report and the table are both '\(path)'; wanted a name for each")
        }
    }

    /// What `ReportFile.write` says.
    func write(to path: String, in context: RunContext) -> String? {
        ReportFile(path: path).write(besides: "the table of predictions", in: context) { try page(in: context) }
    }

    private func page(in context: RunContext) throws -> String {
        var tally = ReportTally()
        try PredictionRow.forEach(inTable: table) { tally.add($0) }
        guard tally.files == listing.count else {
            throw RunFailure(.error, "'\(table)' has \(tally.files) rows, of \(listing.count) files")
        }
        let groups = tally.ordered
        let shown = groups.prefix(ReportTally.shownGroups)
        let picks = shown.flatMap { $0.group.surest + $0.group.leastSure }
        let pictures = try Thumbnails.make(
            of: listing, at: picks.map(\.place).sorted(), reading: self.pictures, in: context)
        return ClassificationPage.template.render(
            ClassificationPage(
                folder: SafeText.escaped(path: RawPath(bytes: listing.folder.lastPart.bytes)), model: tally.model,
                table: (table as NSString).lastPathComponent, tally: tally, groups: groups,
                sections: shown.map { label, group in
                    ClassificationPage.Section(
                        label: label, count: group.count,
                        figures: (group.surest + group.leastSure.reversed()).map {
                            Figure(percent($0.probability), $0.path, source: pictures[$0.place])
                        })
                }))
    }
}
