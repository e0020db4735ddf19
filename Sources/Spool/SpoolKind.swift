/// What a dropped folder asks for: the name of its folder under `incoming/`.
public struct SpoolKind: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    public let rawValue: String

    /// A folder name under `incoming/`: small ASCII letters, digits and `_` only.
    public init(rawValue: String) {
        precondition(
            !rawValue.isEmpty
                && rawValue.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 },
            "'\(rawValue)' cannot name a kind of job: small letters, digits and '_' are wanted")
        self.rawValue = rawValue
    }

    public static let train = SpoolKind(rawValue: "train")
    public static let evaluate = SpoolKind(rawValue: "evaluate")
    public static let classify = SpoolKind(rawValue: "classify")

    /// The kinds the daemon knows.
    public static let standard: [SpoolKind] = [.train, .evaluate, .classify]

    public var description: String { rawValue }
}
