public import JobQueue
public import Spool
import Support

/// Output folders of the jobs that came by SQL: the counterpart of the spool's store, on the same kind of shelf.
///
/// `<root>/<job>` is an output under its final name, `<root>/.work/<job>.<token>` an attempt at it. All calls block: an
/// attempt makes them on its own queue, so that a slow disk holds up that attempt and not its neighbours. Errors are
/// `SystemError` (the file system said no) or `SpoolError`.
public struct ResultStore: Sendable {
    public let root: String
    private let shelf: ResultsShelf

    /// Makes the folders where they are missing.
    ///
    /// - Parameter database: keeps them for the daemons of one database. Throws `SpoolError.ofAnotherDatabase` if another one
    ///   has them.
    public init(root: String, database: String? = nil) throws {
        self.root = root
        try FileTree.make("\(root)/.work")
        shelf = ResultsShelf(work: "\(root)/.work", destination: root)
        if let database { try shelf.bind(to: database) }
    }

    public var workRoot: String { "\(root)/.work" }

    /// Makes the attempt's folder; one that is there belongs to this very claim and is kept.
    public func makeWorkFolder(_ lease: Lease) throws -> String {
        try shelf.makeWorkFolder(job: lease.job.rawValue, token: lease.token.rawValue)
    }

    /// Puts the attempt's files under the final name, BEFORE the commit that completes the job.
    public func publish(_ lease: Lease) throws -> ResultsShelf.Published {
        let work = "\(workRoot)/\(lease)"
        if FileTree.exists(work) { try FileTree.flush(work) }
        return try shelf.publish(job: lease.job.rawValue, token: lease.token.rawValue, as: "\(lease.job)")
    }

    /// The commit after `publish` found that the lease was gone: what was there before comes back.
    public func withdraw(_ lease: Lease) throws {
        try shelf.withdraw(job: lease.job.rawValue, token: lease.token.rawValue, as: "\(lease.job)")
    }

    /// AFTER the commit that completed the job: makes sure that the winner's files are those that lie there, and removes
    /// every attempt's folder.
    public func complete(_ job: JobID, by token: LeaseToken) throws {
        try shelf.reinstate(job: job.rawValue, token: token.rawValue, as: "\(job)")
        try shelf.sweep(job: job.rawValue)
    }

    /// AFTER the job's last commit when it did not complete: removes every attempt's folder up to this one's. A later one
    /// is that of a job which was retried.
    public func sweep(_ attempt: Lease) throws {
        try shelf.sweep(job: attempt.job.rawValue, through: attempt.token.rawValue)
    }

    /// The newest attempt of each job that has folders under `.work`.
    public func newestAttempts() throws -> [Lease] {
        try shelf.attemptsAtWork().sorted { $0.key < $1.key }
            .map { Lease(job: JobID($0.key), token: LeaseToken($0.value)) }
    }
}
