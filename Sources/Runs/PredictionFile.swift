import Foundation
import Glibc
import Images
import Support

/// predictions.csv while it grows, in a form that a killed run can be taken up from.
///
/// Rows go to a hidden neighbour, `.NAME.<identity>.partial`, where the identity is a hash of everything that decides
/// the rows; when all are there, it is flushed and renamed. A later run of the same identity keeps the whole rows at its
/// start that are the listing's files in order, cuts off the rest and goes on from there.
final class PredictionFile {
    /// Rows that an earlier run left, by their status.
    private(set) var kept: [Prediction.Status: Int] = [:]
    private let path: String
    private let partial: String
    private let descriptor: Int32

    var keptRows: Int { kept.values.reduce(0, +) }

    /// Throws `RunFailure` when the table's name is taken by anything but an earlier table.
    static func checkPlace(_ path: String) throws(RunFailure) {
        try OutputPlace.check(
            path, mark: PredictionTable.firstColumns, isNo: "table of predictions",
            wanted: "the name of a CSV file, new or an earlier table of predictions")
    }

    /// Opens the neighbour; with `resumes` false, or when there is none of this identity, it begins empty.
    ///
    /// Throws `SystemError`, and `RunFailure` when another process writes the same file.
    init(path: String, identity: String, table: PredictionTable, listing: ImageListing, resumes: Bool) throws {
        self.path = path
        partial = Self.partialPath(of: path, identity: identity)
        descriptor = open(partial, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        if descriptor < 0 { throw SystemError("open", on: partial) }
        // First our own lock, then a look at the others': of two that begin at once neither overlooks the other.
        let isOurs = flock(descriptor, LOCK_EX | LOCK_NB) == 0 && Self.names(partial, descriptor)
        guard isOurs, !Self.partials(of: path).contains(where: { $0 != partial && Self.isLocked($0) }) else {
            throw RunFailure(.error, "another process is writing '\(path)'; wait for it, or choose another file")
        }
        let end = resumes ? keep(table, listing) : 0
        if ftruncate(descriptor, end) != 0 { throw SystemError("ftruncate", on: partial) }
        if lseek(descriptor, end, SEEK_SET) < 0 { throw SystemError("lseek", on: partial) }
        if end == 0 { try append(table.header) }
    }

    deinit {
        close(descriptor)
    }

    /// Whether the file still has this name: another process may have finished it between our open and our lock.
    private static func names(_ path: String, _ descriptor: Int32) -> Bool {
        var (ours, named) = (stat(), stat())
        return fstat(descriptor, &ours) == 0 && stat(path, &named) == 0 && ours.st_ino == named.st_ino
    }

    /// Whether a process is at work on the file.
    private static func isLocked(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    /// Writes rows at once, so that a process that is killed later has left them.
    func append(_ rows: String) throws(SystemError) {
        var rows = rows
        let failure: SystemError? = rows.withUTF8 { bytes in
            var offset = 0
            while offset < bytes.count {
                let written = write(descriptor, bytes.baseAddress! + offset, bytes.count - offset)
                if written < 0 {
                    if errno == EINTR { continue }
                    return SystemError("write", on: partial)
                }
                offset += written
            }
            return nil
        }
        if let failure { throw failure }
    }

    /// Makes the file visible under its name and removes what runs of other identities left beside it.
    func commit() throws(SystemError) {
        if fsync(descriptor) != 0 { throw SystemError("fsync", on: partial) }
        if rename(partial, path) != 0 { throw SystemError("rename", on: path) }
        try AtomicFile.flushFolder(of: path)
        for leftover in Self.partials(of: path) { unlink(leftover) }
    }

    /// The neighbours of `path` that runs left unfinished.
    static func partials(of path: String) -> [String] {
        let (folder, name) = split(path)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { entry in
            guard entry.hasPrefix(".\(name)."), entry.hasSuffix(".partial") else { return false }
            let identity = entry.dropFirst(name.count + 2).dropLast(".partial".count)
            return identity.count == identityLength && identity.allSatisfy(\.isHexDigit)
        }.map { "\(folder)/\($0)" }
    }

    static let identityLength = 16

    private static func partialPath(of path: String, identity: String) -> String {
        let (folder, name) = split(path)
        return "\(folder)/.\(name).\(identity).partial"
    }

    private static func split(_ path: String) -> (folder: String, name: String) {
        let folder = (path as NSString).deletingLastPathComponent
        return (folder.isEmpty ? "." : folder, (path as NSString).lastPathComponent)
    }

    /// Counts the rows to keep; returns where they end, 0 when not even the header is there.
    private func keep(_ table: PredictionTable, _ listing: ImageListing) -> Int {
        guard let stream = fdopen(dup(descriptor), "r") else { return 0 }
        defer { fclose(stream) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        func next() -> Substring? {
            let length = getline(&line, &capacity, stream)
            guard length > 0, let line else { return nil }
            let bytes = UnsafeRawBufferPointer(start: line, count: length)
            return String(validating: bytes, as: UTF8.self).map { $0[...] }
        }
        guard let header = next(), header == table.header else { return 0 }
        var end = table.header.utf8.count
        for path in listing.paths {
            let (start, finish) = table.margins(of: path)
            guard let row = next(), row.utf8.starts(with: start.utf8),
                row.utf8.suffix(finish.utf8.count).elementsEqual(finish.utf8),
                let word = row.utf8.dropFirst(start.utf8.count).split(separator: 0x2C).first,
                let status = Prediction.Status(rawValue: String(decoding: word, as: UTF8.self))
            else { break }
            kept[status, default: 0] += 1
            end += row.utf8.count
        }
        return end
    }
}
