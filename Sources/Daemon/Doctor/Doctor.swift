import Foundation
import Support

/// Looks whether a daemon of this configuration could do its work, and changes nothing but one file that it removes.
public struct Doctor: Sendable {
    /// One thing that is wrong, as a sentence that says what to do.
    public struct Finding: Sendable, Equatable, CustomStringConvertible {
        public var check: String
        public var sentence: String

        public var description: String { "\(check): \(sentence)" }
    }

    let configuration: DaemonConfiguration
    /// Throws if a checkpoint can't be used as a model.
    let readModel: @Sendable (String) throws -> Void

    public init(configuration: DaemonConfiguration, readModel: @escaping @Sendable (String) throws -> Void) {
        self.configuration = configuration
        self.readModel = readModel
    }

    /// What was looked at, in order.
    public static let checks = [
        "database", "schema", "grants", "spool", "queues", "schedules", "clock", "listen", "folders", "renames", "disk",
        "models",
    ]

    public func run() async -> [Finding] {
        await DatabaseCheckup(configuration: configuration).run() + folders() + renames() + disk() + models()
    }

    /// What the daemon writes into.
    private func folders() -> [Finding] {
        let roots = configuration.roots
        let status = configuration.status.interval > .zero ? [configuration.status.folder] : []
        return ([configuration.spool.root, roots.results, roots.models, roots.logs] + status).compactMap { root in
            guard FileTree.exists(root) else {
                return Finding(check: "folders", sentence: "there is no '\(root)'; the daemon makes it at its start")
            }
            let probe = "\(root)/.doctor-\(UUID().uuidString)"
            do {
                try FileTree.make(probe)
                try FileTree.remove(probe)
                return nil
            } catch {
                return Finding(
                    check: "folders", sentence: "could not write into '\(root)': \(error); mend its owner or mode")
            }
        }
    }

    /// Results and dropped folders are put in place by rename(2), which works within one file system only.
    private func renames() -> [Finding] {
        [
            (configuration.spool.root, ["incoming", "processing", "done", "rejected", "tmp"]),
            (configuration.roots.results, [".work"]),
        ].flatMap { root, parts in
            let device = Self.device(root)
            return parts.filter {
                FileTree.exists("\(root)/\($0)") && Self.device("\(root)/\($0)") != device
            }.map { part in
                Finding(
                    check: "renames",
                    sentence: "'\(root)/\(part)' is on another file system than '\(root)', so that nothing can be "
                        + "renamed from one into the other; mount them as one")
            }
        }
    }

    private static func device(_ path: String) -> Int? {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.systemNumber] as? Int
    }

    private func disk() -> [Finding] {
        let minimum = configuration.spool.minimumFree
        let folders = Set(configuration.disks.map(\.folder)).sorted()
        return folders.compactMap { folder in
            guard let free = FileTree.freeBytes(folder), free < minimum else { return nil }
            return Finding(
                check: "disk",
                sentence:
                    "'\(folder)' has \(free >> 20) MiB free, spool.min_free wants \(minimum >> 20) MiB; until then "
                    + "nothing is taken in")
        }
    }

    private func models() -> [Finding] {
        let folder = configuration.roots.models
        return FileTree.names(in: folder).filter { $0.hasSuffix(".ckpt") && !$0.hasPrefix(".") }.compactMap { name in
            do {
                try readModel("\(folder)/\(name)")
                return nil
            } catch {
                return Finding(check: "models", sentence: "'\(folder)/\(name)' can't be used: \(error)")
            }
        }
    }
}
