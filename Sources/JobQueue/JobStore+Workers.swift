public import Postgres

extension JobStore {
    /// Makes a row for this process. Call `rescueDeadNeighbours` right after it: own jobs of before come back at once.
    public func registerWorker(_ registration: WorkerRegistration) async throws -> WorkerID

    /// Says that the worker lives and hears how its jobs stand: one UPDATE of one row, never a NOTIFY.
    ///
    /// Feed the answer, with the instant *before* this call, to `LeaseKeeper.heartbeatAnswered`.
    public func heartbeat(_ worker: WorkerID) async throws -> Heartbeat

    /// Says goodbye: nothing is running any more. What still is running gets rescued by the next sweep.
    public func retireWorker(_ worker: WorkerID) async throws

    public func workers(includingRetired: Bool = false) async throws -> [WorkerRow]
}
