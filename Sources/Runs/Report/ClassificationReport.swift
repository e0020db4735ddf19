import Foundation
import Images
import Pages
import Support

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
        try OutputPlace.check(
            path, mark: HTMLPage.mark, isNo: "page of this program",
            wanted: "the name of an HTML file, new or an earlier report")
        let places = [path, table].map { URL(fileURLWithPath: $0).standardizedFileURL.path }
        if places[0] == places[1] {
            throw .badInput("the report and the table are both '\(path)'; wanted a name for each")
        }
    }

    /// Writes the page and returns its name. Where that fails the log says so and there is none: the table is what counts.
    func write(to path: String, in context: RunContext) -> String? {
        do {
            try AtomicFile.write(Array(try page(in: context).utf8), to: path)
            return (path as NSString).lastPathComponent
        } catch {
            context.log("the report could not be written; the table of predictions is whole: \(error)")
            return nil
        }
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
        let paths = picks.map(\.place).sorted().map { listing.paths[$0] }
        let pictures = try Thumbnails.make(
            of: ImageListing(folder: listing.folder, paths: paths), reading: self.pictures, in: context)
        return ReportPage.template.render(
            ReportPage(
                folder: SafeText.escaped(path: RawPath(bytes: listing.folder.lastPart.bytes)), model: tally.model,
                table: (table as NSString).lastPathComponent, tally: tally, groups: groups,
                sections: shown.map { label, group in
                    ReportPage.Section(
                        label: label, count: group.count,
                        pictures: (group.surest + group.leastSure.reversed()).map {
                            ReportPage.Picture($0, source: pictures[listing.paths[$0.place]])
                        })
                }))
    }
}
