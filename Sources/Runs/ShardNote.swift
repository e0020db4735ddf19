import Foundation
import ShuffleNet
import Support

/// What made a part's table, beside it: parts of one classification start at different times on different hosts, and a model
/// may be replaced between two of them.
struct ShardNote: Codable, Equatable {
    /// `ModelFile.identity`.
    var model: String
    var precision: Precision

    private static func path(beside table: String) -> String {
        (table as NSString).deletingPathExtension + ".model.json"
    }

    /// Throws `SystemError`.
    func write(beside table: String) throws {
        try AtomicFile.write(try json.utf8, to: Self.path(beside: table))
    }

    /// Throws `RunFailure` when there is none that can be read.
    static func read(beside table: String) throws(RunFailure) -> ShardNote {
        let path = path(beside: table)
        guard let data = FileManager.default.contents(atPath: path),
            let note = try? JSONDecoder().decode(ShardNote.self, from: data)
        else {
            throw RunFailure(
                .error,
                "could not read '\(path)'; the results of shards must lie on a storage that all daemons share, written by "
                    + "daemons of one version")
        }
        return note
    }
}
