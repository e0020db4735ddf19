public import Logging
import Synchronization

/// Keeps what is logged, a line an event with its metadata behind it.
public struct RecordedLog: LogHandler {
    private final class Store: Sendable {
        let lines = Mutex<[String]>([])
    }

    private let store = Store()
    public var metadata: Logger.Metadata = [:]
    public var logLevel = Logger.Level.info
    public var all: [String] { store.lines.withLock { $0 } }

    public init() {}

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let pairs = (event.metadata ?? [:]).sorted { $0.key > $1.key }.map { "\($0.key) \($0.value)" }
        store.lines.withLock { $0.append(([event.message.description] + pairs).joined(separator: ", ")) }
    }
}
