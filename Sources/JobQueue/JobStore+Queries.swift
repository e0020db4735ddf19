extension JobStore {
    /// Newest first.
    public func jobs(
        states: [JobState] = JobState.allCases, kinds: [JobKind] = JobKind.allCases, limit: Int = 100
    ) async throws -> [Job]

    public func job(_ id: JobID) async throws -> Job?
    /// Oldest first.
    public func events(of job: JobID) async throws -> [JobEvent]
    /// Oldest first; `logPath` tells where each attempt's log is.
    public func attempts(of job: JobID) async throws -> [JobAttempt]
    /// Jobs a state, for the status page.
    public func counts() async throws -> [JobState: Int]
}
