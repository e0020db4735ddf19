import Foundation
import Glibc

/// Keeps a run from writing over a file of somebody else: a name is free, or taken by what an earlier run wrote.
enum OutputPlace {
    /// Throws `RunFailure` when the name is taken by anything but a file that begins with `mark`, or an empty one.
    static func check(_ path: String, mark: String, isNo kind: String, wanted: String) throws(RunFailure) {
        func wrong(_ what: String) -> RunFailure { .badInput("'\(path)' is \(what); wanted \(wanted)") }
        if path.hasSuffix("/") { throw wrong("the name of a folder") }
        var there = stat()
        guard lstat(path, &there) == 0 else { return }
        switch there.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw wrong("a folder")
        case S_IFLNK: throw wrong("a symbolic link")
        default: throw wrong("a device, a pipe or a socket")
        }
        let mark = Data(mark.utf8)
        let head = FileHandle(forReadingAtPath: path).flatMap { try? $0.read(upToCount: mark.count) } ?? Data()
        if there.st_size > 0, head != mark { throw wrong("no \(kind)") }
    }
}
