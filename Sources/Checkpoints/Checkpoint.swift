/// What a model file holds: tensors and texts under unique names, in the file's order.
///
/// In a MindSpore `.ckpt` a text is an entry of type `str`; in a safetensors file it is a line of `__metadata__`.
public struct Checkpoint: Sendable, Equatable {
    public enum Entry: Sendable, Equatable {
        case tensor(NamedTensor)
        case text(name: String, value: String)

        public var name: String {
            switch self {
            case .tensor(let tensor): tensor.name
            case .text(let name, _): name
            }
        }
    }

    public private(set) var entries: [Entry] = []
    private var positions: [String: Int] = [:]

    public init() {}

    /// Takes tensors in order; their names must differ.
    public init(tensors: [NamedTensor]) {
        for tensor in tensors { append(tensor) }
    }

    /// The tensors in order.
    public var tensors: [NamedTensor] {
        entries.compactMap { if case .tensor(let tensor) = $0 { tensor } else { nil } }
    }

    /// The tensor of this name; nil when there is none or the entry is a text.
    public func tensor(_ name: String) -> NamedTensor? {
        guard let position = positions[name], case .tensor(let tensor) = entries[position] else { return nil }
        return tensor
    }

    /// The text of this name; nil when there is none or the entry is a tensor.
    public func text(_ name: String) -> String? {
        guard let position = positions[name], case .text(_, let value) = entries[position] else { return nil }
        return value
    }

    public func contains(_ name: String) -> Bool { positions[name] != nil }

    /// Adds a tensor under a name that must be new.
    public mutating func append(_ tensor: NamedTensor) {
        append(.tensor(tensor))
    }

    /// Adds a text under a name that must be new.
    public mutating func append(_ text: String, named name: String) {
        append(.text(name: name, value: text))
    }

    /// Adds an entry under a name that must be new.
    public mutating func append(_ entry: Entry) {
        let previous = positions.updateValue(entries.count, forKey: entry.name)
        precondition(previous == nil, "a checkpoint has an entry \(entry.name.quoted) already")
        entries.append(entry)
    }
}
