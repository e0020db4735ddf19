import Logging
import Spool
import Support
import Synchronization

/// Stops claims while what the daemon stands on gives way: the spool is not where it was, or a file system it writes to
/// has less free space than wanted.
final class GroundWatch: Sendable {
    private enum Obstacle: Equatable {
        case spool(String)
        case lowSpace(folder: String)
    }

    private let spool: SpoolStore
    private let folders: [String]
    private let minimum: Int64
    private let dispatch: DispatchService
    private let logger: Logger
    private let found = Mutex<Obstacle?>(nil)

    /// - Parameter folders: where `minimum` bytes are to be free.
    init(spool: SpoolStore, folders: [String], minimum: Int64, dispatch: DispatchService, logger: Logger) {
        self.spool = spool
        self.folders = folders
        self.minimum = minimum
        self.dispatch = dispatch
        self.logger = logger
    }

    func look() async {
        let obstacle = await obstacle()
        let former = found.withLock { found in
            defer { found = obstacle }
            return found
        }
        if obstacle != former { tell(obstacle) }
        dispatch.setBlocked(obstacle != nil)
    }

    private func obstacle() async -> Obstacle? {
        if let error = await spool.absence() { return .spool("\(error)") }
        return folders.first { FileTree.freeBytes($0).map { $0 < minimum } ?? false }.map { .lowSpace(folder: $0) }
    }

    private func tell(_ obstacle: Obstacle?) {
        switch obstacle {
        case .spool(let error):
            logger.error("the spool is away", metadata: ["error": "\(error)"])
        case .lowSpace(let folder):
            logger.error(
                "low disk space: nothing is claimed until there is room",
                metadata: ["folder": "\(folder)", "wanted": "\(minimum) bytes"])
        case nil:
            logger.info("jobs are claimed again: the spool is there, and disk space")
        }
    }
}
