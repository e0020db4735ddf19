/// Why a folder is not taken, in words for the person who dropped it.
public struct Refusal: Error, Sendable, Equatable, CustomStringConvertible {
    /// The machine's word. Before there is a job: one of `Reason`; afterwards the reason column of the job.
    public var reason: String
    /// The sentence: the thing, and what was found.
    public var message: String
    /// What was wanted instead, and what to do.
    public var wanted: String

    public init(reason: String, message: String, wanted: String) {
        self.reason = reason
        self.message = message
        self.wanted = wanted
    }

    public init(_ reason: Reason, _ message: String, wanted: String) {
        self.init(reason: reason.rawValue, message: message, wanted: wanted)
    }

    public enum Reason: String, Sendable, CaseIterable {
        case notAFolder = "not_a_folder"
        case empty
        case symbolicLink = "symbolic_link"
        case hardLink = "hard_link"
        case specialFile = "special_file"
        case otherFileSystem = "other_file_system"
        case tooDeep = "too_deep"
        case tooManyEntries = "too_many_entries"
        case tooLarge = "too_large"
        case unreadable
        case badSpecification = "bad_specification"
        case manifestMismatch = "manifest_mismatch"
        case unsafeEntry = "unsafe_entry"
        case damagedArchive = "damaged_archive"
        case encryptedArchive = "encrypted_archive"
        case unknownJob = "unknown_job"
    }

    public var description: String { "\(message); wanted: \(wanted)" }
}
