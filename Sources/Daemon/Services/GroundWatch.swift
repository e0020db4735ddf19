import Logging
import Spool
import Support
import Synchronization

/// Stops claims while what the daemon stands on gives way: all of them while a file system it writes to has less free
/// space than wanted, those of the spool's jobs while the spool is not where it was.
final class GroundWatch: Sendable {
    private struct Findings: Equatable {
        /// Why the spool is away.
        var absence: String?
        /// A folder without enough space.
        var shortFolder: String?
    }

    private let spool: SpoolStore
    private let folders: [String]
    private let minimum: Int64
    private let dispatch: DispatchService
    private let logger: Logger
    private let former = Mutex(Findings())

    /// - Parameter folders: where `minimum` bytes are to be free.
    init(spool: SpoolStore, folders: [String], minimum: Int64, dispatch: DispatchService, logger: Logger) {
        self.spool = spool
        self.folders = folders
        self.minimum = minimum
        self.dispatch = dispatch
        self.logger = logger
    }

    func look() async {
        let found = Findings(
            absence: await spool.absence().map { "\($0)" },
            shortFolder: folders.first { FileTree.freeBytes($0).map { $0 < minimum } ?? false })
        let former = former.withLock { former in
            defer { former = found }
            return former
        }
        tell(found, after: former)
        dispatch.setSpoolAway(found.absence != nil)
        dispatch.setBlocked(found.shortFolder != nil)
    }

    private func tell(_ found: Findings, after former: Findings) {
        if let absence = found.absence, absence != former.absence {
            logger.error("the spool is away, its jobs wait", metadata: ["error": "\(absence)"])
        } else if found.absence == nil, former.absence != nil {
            logger.info("the spool is back")
        }
        if let folder = found.shortFolder, folder != former.shortFolder {
            logger.error(
                "low disk space: nothing is claimed until there is room",
                metadata: ["folder": "\(folder)", "wanted": "\(minimum) bytes"])
        } else if found.shortFolder == nil, former.shortFolder != nil {
            logger.info("there is disk space again")
        }
    }
}
