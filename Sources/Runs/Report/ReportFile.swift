import Foundation
import Pages
import Support

/// The page that a run leaves beside its results, for people.
struct ReportFile {
    /// What it is called where nobody says otherwise.
    static let name = "report.html"

    var path: String

    /// Throws `RunFailure` when the name is taken by anything but an earlier page.
    func checkPlace(wanted: String) throws(RunFailure) {
        try OutputPlace.check(path, mark: HTMLPage.mark, isNo: "page of this program", wanted: wanted)
    }

    /// Writes the page and returns its name. Where that fails the log says so and there is none, of earlier results neither:
    /// the results are what counts.
    func write(besides results: String, in context: RunContext, page: () throws -> String) -> String? {
        do {
            try AtomicFile.write(Array(try page().utf8), to: path)
            return (path as NSString).lastPathComponent
        } catch {
            unlink(path)
            context.log("the report could not be written; \(results) is whole: \(error)")
            return nil
        }
    }
}

/// A share in tenths of a hundredth, by integer arithmetic: no locale.
func percent(_ share: Double) -> String {
    let thousandths = Int((min(max(share, 0), 1) * 1000).rounded())
    return "\(thousandths / 10).\(thousandths % 10) %"
}
