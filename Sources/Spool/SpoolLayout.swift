/// Where things lie under the root of the spool. Paths only; nothing here touches the file system.
public struct SpoolLayout: Sendable, Equatable {
    public let root: String
    public let kinds: [SpoolKind]

    public init(root: String, kinds: [SpoolKind] = SpoolKind.standard) {
        self.root = root.count > 1 && root.hasSuffix("/") ? String(root.dropLast()) : root
        self.kinds = kinds
    }

    /// People drop here, a folder a kind.
    public func incoming(_ kind: SpoolKind) -> String { "\(root)/incoming/\(kind)" }
    /// People fill folders here and rename them into `incoming/<kind>/` when they are complete.
    public var tmp: String { "\(root)/tmp" }
    /// Inputs of unfinished jobs, `<name>.<job>`.
    public var processing: String { "\(root)/processing" }
    /// Results, `<name>.<job>`, with the input in `input/`.
    public var done: String { "\(root)/done" }
    /// What was refused or failed, `<name>.<id>`, with a REASON.json and the input in `input/`.
    public var rejected: String { "\(root)/rejected" }
    /// Attempts at work, `<job>.<token>`: the same file system as `done/`, so that publishing is one rename.
    public var work: String { "\(root)/.work" }

    public func input(folder: String) -> String { "\(processing)/\(folder)" }
    public func results(folder: String) -> String { "\(done)/\(folder)" }
    public func workFolder(job: Int64, token: Int64) -> String { "\(work)/\(job).\(token)" }
}
