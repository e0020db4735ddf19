import Logging
import Synchronization

/// Stops claims while a file system the daemon writes to has less free space than wanted.
final class DiskWatch: Sendable {
    private let folders: [String]
    private let minimum: Int64
    private let dispatch: DispatchService
    private let logger: Logger
    private let low = Mutex(false)

    init(folders: [String], minimum: Int64, dispatch: DispatchService, logger: Logger) {
        self.folders = folders
        self.minimum = minimum
        self.dispatch = dispatch
        self.logger = logger
    }

    func look() {
        let short = folders.first { FileTree.freeBytes($0).map { $0 < minimum } ?? false }
        let changed = low.withLock { low in
            defer { low = short != nil }
            return low != (short != nil)
        }
        guard changed else { return }
        if let short {
            logger.error(
                "low disk space: nothing is claimed until there is room",
                metadata: ["folder": "\(short)", "wanted": "\(minimum) bytes"])
        } else {
            logger.info("there is disk space again")
        }
        dispatch.setBlocked(short != nil)
    }
}
