public import Support

/// A model file that cannot be read or written, as a sentence that names the file, what was found and what was wanted.
public struct CheckpointError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Action: String, Sendable {
        case read, write
    }

    public let action: Action
    /// The file as the caller named it; nil when the bytes came from memory.
    public let file: String?
    /// What is wrong, without a full stop.
    public let problem: String
    /// The system call that failed, when one did: callers tell a full disk from a bad file by it.
    public let systemError: SystemError?

    public init(_ problem: String, action: Action = .read, file: String? = nil, systemError: SystemError? = nil) {
        self.action = action
        self.file = file
        self.problem = problem
        self.systemError = systemError
    }

    /// A failed system call on the file.
    init(_ error: SystemError, action: Action = .read) {
        self.init(error.description, action: action, systemError: error)
    }

    /// Any error met while `path` was written.
    init(writing path: String, _ error: any Error) {
        self.init(sentence(error), action: .write, file: path, systemError: error as? SystemError)
    }

    public var description: String {
        let subject = file.map { " " + $0.quoted } ?? ""
        return "could not \(action.rawValue) checkpoint\(subject): \(problem)"
    }

    /// The same error with the file's name put in where none is known yet.
    func naming(_ file: String?) -> CheckpointError {
        CheckpointError(problem, action: action, file: self.file ?? file, systemError: systemError)
    }
}

extension String {
    /// The string in quotes for a sentence: control characters escaped and cut at 200, since names in a hostile file
    /// may hold megabytes or terminal sequences.
    var quoted: String {
        var text = ""
        for scalar in unicodeScalars.prefix(200) {
            text += scalar.properties.generalCategory == .control ? scalar.escaped(asASCII: true) : String(scalar)
        }
        return "'\(text)\(unicodeScalars.count > 200 ? "…" : "")'"
    }
}
