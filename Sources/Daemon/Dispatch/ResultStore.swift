public import JobQueue

import Support

/// Output folders of the jobs that came by SQL: the counterpart of the spool's store, with the same verbs.
///
/// `<root>/<job>` is an output under its final name, `<root>/.work/<job>.<token>` an attempt at it. A queue of its own
/// keeps the blocking calls off the cooperative pool. Errors are `SystemError`.
public actor ResultStore {
    public nonisolated let root: String
    private let executor = BlockingExecutor(label: "shufflenetd.results")

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Makes the folders where they are missing.
    public init(root: String) throws {
        self.root = root
        try FileTree.make("\(root)/.work")
    }

    public nonisolated func output(of job: JobID) -> String { "\(root)/\(job)" }
    public nonisolated func workFolder(_ lease: Lease) -> String { "\(root)/.work/\(lease)" }
    private func displaced(_ lease: Lease) -> String { "\(root)/.work/\(lease).displaced" }

    /// Makes the attempt's folder; one that is there belongs to this very claim and is kept.
    public func makeWorkFolder(_ lease: Lease) throws -> String {
        let path = workFolder(lease)
        try FileTree.make(path)
        return path
    }

    /// Puts the attempt's files under the final name, BEFORE the commit that completes the job.
    ///
    /// What lies there already comes from an attempt whose commit failed, and is moved aside until this one's commit is
    /// known. Repeatable.
    public func publish(_ lease: Lease) throws -> String {
        let (work, final) = (workFolder(lease), output(of: lease.job))
        guard FileTree.exists(work) else { return final }
        try FileTree.flush(work)
        if FileTree.exists(final), !FileTree.exists(displaced(lease)) { try FileTree.move(final, to: displaced(lease)) }
        try FileTree.move(work, to: final)
        try AtomicFile.flushFolder(of: final)
        return final
    }

    /// The commit after `publish` found that the lease was gone: what was there before comes back.
    public func withdraw(_ lease: Lease) throws {
        try FileTree.remove(workFolder(lease))
        try FileTree.move(output(of: lease.job), to: workFolder(lease))
        if FileTree.exists(displaced(lease)) { try FileTree.move(displaced(lease), to: output(of: lease.job)) }
        try AtomicFile.flushFolder(of: output(of: lease.job))
    }

    /// AFTER the job's last commit, however it ended: removes every attempt's folder.
    public func sweep(_ job: JobID) throws {
        for name in FileTree.names(in: "\(root)/.work") where name.hasPrefix("\(job).") {
            try FileTree.remove("\(root)/.work/\(name)")
        }
    }

    /// Jobs that have folders under `.work`.
    public func jobsWithWork() -> [JobID] {
        let jobs = FileTree.names(in: "\(root)/.work").compactMap { $0.split(separator: ".").first.flatMap { Int64($0) } }
        return Set(jobs).sorted().map { JobID($0) }
    }

    /// Settles what a crash between `publish` and `withdraw` may have left, for a job that is not running.
    ///
    /// - Parameter completedBy: the token whose attempt completed the job, or nil when none did.
    public func reconcile(_ job: JobID, completedBy winner: LeaseToken?) throws {
        for name in FileTree.names(in: "\(root)/.work") where name.hasPrefix("\(job).") && name.hasSuffix(".displaced") {
            let parts = name.split(separator: ".")
            guard parts.count == 3, let token = Int64(parts[1]) else { continue }
            let lease = Lease(job: job, token: LeaseToken(token))
            // The one that displaced the winner died before it could put things back.
            if let winner, winner != lease.token, FileTree.exists(output(of: job)) { try withdraw(lease) }
        }
    }
}
