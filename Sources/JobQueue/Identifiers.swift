/// The number of a job: `jobs.id`.
public struct JobID: RawRepresentable, Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    public let rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }

    public init(_ rawValue: Int64) { self.init(rawValue: rawValue) }

    public var description: String { String(rawValue) }

    public static func < (left: JobID, right: JobID) -> Bool { left.rawValue < right.rawValue }
}

/// The number of one claim. Every claim draws a fresh one from a sequence, so a larger token is a later claim
/// and an old holder can never be mistaken for the present one.
public struct LeaseToken: RawRepresentable, Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    public let rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }

    public init(_ rawValue: Int64) { self.init(rawValue: rawValue) }

    public var description: String { String(rawValue) }

    public static func < (left: LeaseToken, right: LeaseToken) -> Bool { left.rawValue < right.rawValue }
}

/// The number of one worker process (one daemon, whatever its slots): `workers.id`.
public struct WorkerID: RawRepresentable, Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    public let rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }

    public init(_ rawValue: Int64) { self.init(rawValue: rawValue) }

    public var description: String { String(rawValue) }

    public static func < (left: WorkerID, right: WorkerID) -> Bool { left.rawValue < right.rawValue }
}

/// The right to write about one job: valid while `jobs` has this id with this token in state `running`.
public struct Lease: Hashable, Sendable, CustomStringConvertible {
    public let job: JobID
    public let token: LeaseToken

    public init(job: JobID, token: LeaseToken) {
        self.job = job
        self.token = token
    }

    /// `<job>.<token>`, as in the name of the attempt's work folder.
    public var description: String { "\(job).\(token)" }
}
