internal import Foundation

/// Which drop a folder under `incoming/` is. The kernel renews the time of change of a folder when it is renamed, so a
/// folder that was rejected, mended and dropped again is a new drop even though its inode is the old one, while a folder
/// that was only looked at before a crash is still the same.
struct DropIdentity: Hashable, Sendable {
    let kind: SpoolKind
    let name: EntryName
    let inode: UInt64
    /// ctime in nanoseconds.
    let changed: Int64

    init(kind: SpoolKind, name: EntryName, inode: UInt64, changed: Int64) {
        self.kind = kind
        self.name = name
        self.inode = inode
        self.changed = changed
    }

    init(kind: SpoolKind, name: EntryName, status: FileStatus) {
        self.init(kind: kind, name: name, inode: status.inode, changed: status.changed)
    }

    /// The key of the row. `spool` tells this spool from others that feed the same database.
    func uniqueKey(spool: String) -> String {
        "spool:\(spool):\(kind):\(name.escaped):\(inode):\(changed)"
    }

    /// For folders that are refused before there is a job: a time and a number, the same again after a crash.
    var rejectionStamp: String {
        let seconds = changed / 1_000_000_000
        let date = Date(timeIntervalSince1970: TimeInterval(seconds))
        let time = date.formatted(
            .iso8601.year().month().day().time(includingFractionalSeconds: false)
                .dateSeparator(.omitted).timeSeparator(.omitted))
        return "\(time)-\(inode)-\(changed % 1_000_000_000)"
    }
}
