import Foundation
import Glibc
import Runs
import Spool
import Support
import Yams

/// The configuration file as a tree: which keys it has, and the free-form part under `defaults`.
///
/// swift-configuration answers for keys that are asked for; what nobody asks for would pass in silence, so the tree is
/// read once more here.
struct ConfigurationDocument {
    /// Dotted keys of all leaves, in the file's order; of a section without keys that of the section.
    var keys: [String] = []
    /// Those of them that have no value.
    var emptyKeys: Set<String> = []
    var defaults: [JobSpecification.Kind: [String: JSONValue]] = [:]
    var mistakes: [ConfigurationMistake] = []
    /// Whether there are keys at all; a file of comments is as good as none.
    var hasKeys = false

    init() {}

    /// Throws when the file cannot be read or is no YAML.
    init(path: String) throws {
        if access(path, R_OK) != 0 { throw SystemError("open", on: path) }
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            throw SystemError("read", on: path, code: EISDIR)
        }
        guard let bytes = FileManager.default.contents(atPath: path) else { throw SystemError("read", on: path) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw SystemError("read", on: path, code: EILSEQ)
        }
        guard let root = try Yams.compose(yaml: text) else { return }
        guard let mapping = root.mapping else {
            mistakes.append(.init(place: "'\(path)'", problem: "found no keys, wanted lines such as workers: 2"))
            return
        }
        hasKeys = true
        for (key, value) in mapping { collect(key.string ?? "?", value) }
        guard let kinds = mapping["defaults"] else { return }
        for (key, arguments) in kinds.mapping ?? [:] {
            let place = "'\(path)', key defaults.\(key.string ?? "?")"
            guard let kind = JobSpecification.Kind(rawValue: key.string ?? "") else {
                mistakes.append(
                    .init(place: place, problem: "there is no such kind of job, wanted train, evaluate or classify"))
                continue
            }
            guard arguments.mapping != nil else {
                mistakes.append(
                    .init(place: place, problem: "found a single value, wanted arguments such as epochs: 5"))
                continue
            }
            do {
                defaults[kind] = try Self.arguments(arguments)
            } catch {
                mistakes.append(.init(place: place, problem: "\(error)"))
            }
        }
        if kinds.mapping == nil {
            mistakes.append(
                .init(
                    place: "'\(path)', key defaults",
                    problem: "found a single value, wanted train:, evaluate: or classify:"))
        }
    }

    private mutating func collect(_ key: String, _ node: Node) {
        if let mapping = node.mapping, !mapping.isEmpty {
            for (name, value) in mapping { collect("\(key).\(name.string ?? "?")", value) }
        } else if key != "defaults" {
            keys.append(key)
            if node.mapping != nil || node.null != nil { emptyKeys.insert(key) }
        }
    }

    /// As `job.yaml` is read, whose arguments these stand in for: `no` is a text.
    private static func arguments(_ node: Node) throws -> [String: JSONValue] {
        try JSONDecoder().decode([String: JSONValue].self, from: Data(JobYAML.json(node).utf8))
    }
}
