/// The group counts of the 1×1 convolutions that the source document defines widths for.
public enum GroupCount: Int, Codable, CaseIterable, Sendable {
    case three = 3
    case eight = 8

    /// For the end of a sentence: what was wanted.
    public static var words: String { allCases.map { "\($0.rawValue)" }.joined(separator: " or ") }
}
