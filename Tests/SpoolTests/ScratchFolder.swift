import Foundation
import Glibc
import Support

/// A folder that goes with the test.
final class ScratchFolder: Sendable {
    let path: String

    init(in parent: String = FileManager.default.temporaryDirectory.path) {
        path = "\(parent)/spool-\(UUID().uuidString)"
        mkdir(path, 0o755)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Makes `files` (name → text) under `folder`, and the folders on the way.
    func fill(_ folder: String, _ files: [String: String]) throws {
        try FileManager.default.createDirectory(
            atPath: "\(path)/\(folder)", withIntermediateDirectories: true)
        for (name, text) in files.sorted(by: { $0.key < $1.key }) { try write("\(folder)/\(name)", text) }
    }

    func write(_ name: String, _ text: String) throws {
        let target = "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        guard FileManager.default.createFile(atPath: target, contents: Data(text.utf8)) else {
            throw SystemError("open", on: target)
        }
    }

    func move(_ from: String, to new: String) throws {
        if rename("\(path)/\(from)", "\(path)/\(new)") != 0 { throw SystemError("rename", on: from) }
    }

    func exists(_ name: String) -> Bool {
        var status = stat()
        return lstat("\(path)/\(name)", &status) == 0
    }

    func list(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)")) ?? []).sorted()
    }

    func text(_ name: String) -> String? {
        FileManager.default.contents(atPath: "\(path)/\(name)").map { String(decoding: $0, as: UTF8.self) }
    }
}
