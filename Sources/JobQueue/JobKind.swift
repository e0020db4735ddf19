/// What a job does.
public enum JobKind: String, Sendable, Codable, CaseIterable, CustomStringConvertible {
    case train
    case evaluate
    case classify

    public var description: String { rawValue }
}
