/// One thing wrong in the configuration: where, what was found, what was wanted.
public struct ConfigurationMistake: Sendable, Equatable, CustomStringConvertible {
    /// The place as a person would look for it: `'/etc/shufflenetd.yaml', key workers`, `--workers`.
    public var place: String
    /// The rest of the sentence.
    public var problem: String

    public init(place: String, problem: String) {
        self.place = place
        self.problem = problem
    }

    public var description: String { "\(place): \(problem)" }
}

/// All mistakes of a configuration together; nothing is started when there is one.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    public var mistakes: [ConfigurationMistake]

    public init(mistakes: [ConfigurationMistake]) {
        self.mistakes = mistakes
    }

    public var description: String {
        let count = mistakes.count == 1 ? "a mistake" : "\(mistakes.count) mistakes"
        return (["the configuration has \(count), nothing was started:"] + mistakes.map { "  \($0)" })
            .joined(separator: "\n")
    }
}
