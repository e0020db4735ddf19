/// What the spool asks of the queue: a row for a folder. The daemon implements it.
///
/// The order of an acceptance is: `register` (the row is there, not yet runnable) → rename into `processing/` →
/// `place` (the row knows its folder and is runnable). A crash between any two of them repeats from the start with
/// the same `uniqueKey`, so both calls must be repeatable.
public protocol FolderRegistrar: Sendable {
    /// Makes the row of `folder`, or finds the one that has its `uniqueKey`, and returns the job's number.
    ///
    /// Nothing may start the job before `place` was called for it (its folder is still under `incoming/`).
    /// Throw `Refusal` when the folder's wishes can never be met: the folder goes to `rejected/`. Any other error
    /// leaves the folder where it is; it is tried again at the next rescan.
    func register(_ folder: AcceptedFolder) async throws -> Int64

    /// The input of `job` now lies at `processing/<folder>`: note the name and let the job start. Called again after
    /// a crash; must not disturb a job that has already started.
    func place(job: Int64, folder: String) async throws

    /// The folder of `job` went away between `register` and the rename (its owner took it back): end the job as
    /// failed, unless it was placed or has ended.
    func abandon(job: Int64, refusal: Refusal) async throws
}

/// A complete folder that passed the inspection.
public struct AcceptedFolder: Sendable, Equatable {
    public let kind: SpoolKind
    /// The folder's name as the person wrote it, with unprintable and non-UTF-8 bytes escaped (see `EntryName`).
    public let name: String
    /// The same for the same drop after a crash, another for a later drop of the same name.
    public let uniqueKey: String
    /// `job.yaml` as the text of one JSON object; `{}` without such a file. Its keys have not been judged.
    public let arguments: String
    /// How it was known to be complete.
    public let sign: CompletionSign
    /// Files in the folder, control files left out, and the sum of their sizes.
    public let files: Int
    public let bytes: Int64
    /// User number of the folder's owner.
    public let owner: UInt32
}

/// How a folder was known to be complete.
public enum CompletionSign: String, Sendable, Equatable {
    /// Renamed in from `tmp/`.
    case renamed
    /// `.ready` came last.
    case ready
    /// `manifest.sha256` came last and agrees with the files.
    case manifest
    /// Nothing changed for the quiet period.
    case quiet
}
