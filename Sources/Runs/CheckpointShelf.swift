import Foundation
import Glibc
import Support

/// The checkpoints of a training run's output folder: one a completed epoch, of which the newest five stay, and the
/// names `last.ckpt` and `best.ckpt`.
struct CheckpointShelf {
    static let kept = 5
    static let prefix = "shufflenetv1-"

    let folder: String

    var last: String { folder + "/last.ckpt" }
    var best: String { folder + "/best.ckpt" }

    /// The document's name for the checkpoint of an epoch, `shufflenetv1-<epoch>_<step>.ckpt`.
    func path(epoch: Int, step: Int) -> String {
        "\(folder)/\(Self.prefix)\(epoch)_\(step).ckpt"
    }

    /// Lets a second name stand for an existing file, atomically: renamed over the old name.
    func point(_ name: String, at path: String) throws(SystemError) {
        let partial = "\(folder)/.\((name as NSString).lastPathComponent).partial"
        unlink(partial)
        try AtomicFile.link(path, to: partial)
        if rename(partial, name) != 0 { throw SystemError("rename", on: name) }
        try AtomicFile.flushFolder(of: name)
    }

    /// Whether a run's checkpoints or its table lie here.
    var isUsed: Bool {
        [last, best, folder + "/results.csv"].contains { FileManager.default.fileExists(atPath: $0) }
            || !epochFiles().isEmpty
    }

    /// What a run can go on from, the best first: `last`, which is there once an epoch or a request to stop is over, and the
    /// epochs' own files, the newest first.
    var candidates: [String] {
        let epochs = epochFiles().sorted { $0.epoch > $1.epoch }.map { "\(folder)/\($0.name)" }
        return (FileManager.default.fileExists(atPath: last) ? [last] : []) + epochs
    }

    /// Removes every checkpoint of an earlier attempt.
    func clear() {
        for path in [last, best] + epochFiles().map({ "\(folder)/\($0.name)" }) { unlink(path) }
    }

    /// Removes what a killed run was in the middle of writing, by the names that `AtomicFile` and `point` give such files.
    /// Only for who holds the folder's lock.
    func sweep() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let own = /\.(shufflenetv1-\d+_\d+\.ckpt|last\.ckpt|best\.ckpt|results\.csv)(\.\d+\.\d+)?\.partial/
        for name in names where name.wholeMatch(of: own) != nil { unlink("\(folder)/\(name)") }
    }

    /// Removes all but the newest epochs' files. What `last` and `best` name stays under those names.
    func prune() {
        for (_, name) in epochFiles().sorted(by: { $0.epoch > $1.epoch }).dropFirst(Self.kept) {
            unlink("\(folder)/\(name)")
        }
    }

    private func epochFiles() -> [(epoch: Int, name: String)] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.compactMap { name -> (epoch: Int, name: String)? in
            guard name.hasPrefix(Self.prefix), name.hasSuffix(".ckpt") else { return nil }
            let middle = name.dropFirst(Self.prefix.count).dropLast(5).split(separator: "_")
            guard middle.count == 2, let epoch = Int(middle[0]), Int(middle[1]) != nil else { return nil }
            return (epoch, name)
        }
    }
}
