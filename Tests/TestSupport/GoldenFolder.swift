public import Checkpoints
public import Foundation

/// One folder of numbers from the reference framework, classified by what lies in it.
///
/// Folders come from the fixtures and from the folder that the environment variable `GOLDEN_DIR` names (same layout),
/// so that cases which are not in the repository are held to the same bounds.
public struct GoldenFolder: Sendable, CustomStringConvertible {
    public enum Kind: Sendable {
        /// `case.json` with losses and an optimiser, `initial.ckpt`, `after_3_steps.ckpt`, activations and gradients.
        case network
        /// `case.json`, `initial.ckpt` and the loss curve on CIFAR-10 records.
        case trajectory
        /// `cases.json` of single units, with every gradient.
        case units
        /// `cases.json` of picture operations.
        case preprocess
        /// Checkpoint files only.
        case checkpoints
        /// Nothing the tests know how to read.
        case unknown
    }

    public let path: String
    public let kind: Kind

    /// The folder's own name, for instance `g3_0.5x`.
    public var name: String { (path as NSString).lastPathComponent }
    public var description: String { name }

    /// Every folder, fixtures first, sorted by name.
    public static let all: [GoldenFolder] = {
        var parents = [Fixture.path("golden")]
        if let extra = ProcessInfo.processInfo.environment["GOLDEN_DIR"], !extra.isEmpty {
            precondition(contents(extra) != nil, "GOLDEN_DIR names '\(extra)', which is not a folder")
            parents.append(extra)
        }
        return parents.flatMap { parent in
            ([parent]
                + (contents(parent) ?? []).filter { !$0.hasPrefix(".") && !$0.hasPrefix("__") }.sorted().map {
                    "\(parent)/\($0)"
                }).compactMap(GoldenFolder.init)
                .filter { $0.path != parent || $0.kind != .unknown }
        }
    }()

    /// The folders of one kind; an empty list would make a parameterised test vanish, so that traps.
    public static func all(_ kind: Kind) -> [GoldenFolder] {
        let found = all.filter { $0.kind == kind }
        precondition(!found.isEmpty, "there is no golden folder of kind \(kind)")
        return found
    }

    /// The checkpoint files of the folder, sorted by name.
    public var checkpointPaths: [String] {
        (Self.contents(path) ?? []).filter { $0.hasSuffix(".ckpt") }.sorted().map { "\(path)/\($0)" }
    }

    /// The arrays of `tensors.safetensors` by name.
    public func tensors() throws -> [String: NamedTensor] {
        let file = try SafeTensors.read(path: "\(path)/tensors.safetensors")
        return Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0) })
    }

    /// The bytes of `case.json` or `cases.json`.
    public func caseData() throws -> Data {
        let name = FileManager.default.fileExists(atPath: "\(path)/case.json") ? "case.json" : "cases.json"
        return try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)"))
    }

    /// Decodes `case.json` or `cases.json` into a type of the test's own.
    public func decodeCase<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(type, from: caseData())
    }

    init?(path: String) {
        guard let files = Self.contents(path) else { return nil }
        self.path = path
        if files.contains("case.json") {
            let keys = Self.keys(of: "\(path)/case.json")
            if keys.contains("optimizer") {
                kind = .network
            } else {
                kind = keys.contains("eval_records") ? .trajectory : .unknown
            }
        } else if files.contains("cases.json") {
            let keys = Self.keys(of: "\(path)/cases.json", insideFirst: "cases")
            if keys.contains("op") { kind = .preprocess } else { kind = keys.contains("stride") ? .units : .unknown }
        } else {
            kind = files.contains { $0.hasSuffix(".ckpt") } ? .checkpoints : .unknown
        }
    }

    private static func contents(_ path: String) -> [String]? {
        try? FileManager.default.contentsOfDirectory(atPath: path)
    }

    private static func keys(of file: String, insideFirst list: String? = nil) -> Set<String> {
        guard let data = FileManager.default.contents(atPath: file),
            var object = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
        else { return [] }
        if let list {
            guard let first = (object[list] as? [[String: Any]])?.first else { return [] }
            object = first
        }
        return Set(object.keys)
    }
}
