/// A job's arguments checked and carried out: the one mapping from a specification to a run.
public enum JobRun {
    /// Runs the job to its end. Every file goes under `specification.work`.
    ///
    /// Throws `RunFailure`; the caller reports it as the last event.
    public static func execute(_ specification: JobSpecification, context: RunContext) throws -> RunResult {
        throw RunFailure(.error, "not wired yet")
    }
}
