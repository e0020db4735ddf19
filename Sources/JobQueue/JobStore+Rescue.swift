extension JobStore {
    /// Takes back the jobs of workers that have been silent for `silence` by the database's clock, or retired.
    /// Any daemon may call it at any time; compare-and-set on the token decides among them.
    public func rescueAbandoned(silence: Duration = .seconds(30)) async throws -> [RescuedJob]

    /// Takes back at once the jobs of workers on this machine whose process is gone: same host and machine with
    /// another boot id, or the same boot id and pid namespace with a pid that is dead or somebody else by now.
    public func rescueDeadNeighbours(of process: ProcessIdentity) async throws -> [RescuedJob]
}

public struct RescuedJob: Sendable, Equatable {
    /// The lease that was taken away; its work folder may be swept, or resumed from by the next attempt.
    public var lease: Lease
    /// `available`, `held` or (cancel had been asked for) `cancelled`.
    public var state: JobState
}
