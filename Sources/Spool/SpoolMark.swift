internal import Glibc
internal import Support

/// A word that a spool keeps at its root, written once: hexadecimal digits and `-`.
struct SpoolMark: Sendable {
    /// Tells a spool from others that feed the same database.
    static let identifier = SpoolMark(".spool-id")
    /// Keeps a spool for the daemons of one database.
    static let database = SpoolMark(".spool-database")
    /// The same for the results of jobs that came by SQL.
    static let resultsDatabase = SpoolMark(".results-database")

    let name: EntryName

    private init(_ name: String) {
        self.name = EntryName(name)
    }

    /// `nil` when there is none. Throws `SystemError`, and `SpoolError.damagedMark` for a file of anything else.
    func read(in root: FolderHandle) throws -> String? {
        guard try root.exists(name) else { return nil }
        let descriptor = try root.openFile(name)
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        if count < 0 { throw SystemError("read", on: root.label(of: name)) }
        let digits = bytes.prefix(count).prefix {
            (48...57).contains($0) || (97...102).contains($0) || $0 == UInt8(ascii: "-")
        }
        if digits.isEmpty { throw SpoolError.damagedMark(path: root.label(of: name)) }
        return String(decoding: digits, as: UTF8.self)
    }

    /// What is written; `fresh` if there was nothing, which is written then.
    func read(in root: FolderHandle, orWrite fresh: String) throws -> String {
        if let text = try read(in: root) { return text }
        let path = root.label(of: name)
        // Two daemons may start at once, also of two hosts: link(2) lets one of them win, both then read the same.
        let draft = "\(path).\(String(UInt64.random(in: .min ... .max), radix: 16))"
        try AtomicFile.write("\(fresh)\n".utf8, to: draft)
        let code = link(draft, path) == 0 ? 0 : errno
        unlink(draft)
        if code != 0, code != EEXIST { throw SystemError("link", on: path, code: code) }
        return try read(in: root) ?? fresh
    }
}
