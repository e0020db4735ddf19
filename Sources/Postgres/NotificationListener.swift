internal import Dispatch
internal import Foundation
internal import Glibc

/// What came by `NOTIFY`.
public struct PostgresNotification: Sendable, Equatable {
    public let channel: String
    public let payload: String

    public init(channel: String, payload: String) {
        self.channel = channel
        self.payload = payload
    }
}

/// Listens on a connection of its own, which must be direct: a transaction pooler swallows LISTEN.
///
/// Notifications are hints. What was sent while the connection was down is lost, so whoever hears `.listening` looks
/// for himself, and looks from time to time anyway.
public actor NotificationListener {
    public enum Event: Sendable, Equatable {
        /// LISTEN is in force from now on; anything may have happened before.
        case listening
        case notification(PostgresNotification)
        /// The connection was lost or could not be made; another try follows.
        case interrupted(PostgresError)
    }

    private nonisolated let executor = QueueExecutor(label: "postgres.listener")
    private let settings: ConnectionSettings
    private let channels: [String]
    private let probeInterval: Duration
    private let backoff = Backoff(first: .milliseconds(100), cap: .seconds(5))
    private let report: @Sendable (Event) -> Void
    private var connection: Connection?
    private var source: (any DispatchSourceRead)?
    private var pause: Task<Void, Never>?
    private var failure: PostgresError?

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - probeInterval: how often a quiet connection is asked whether it lives.
    ///   - report: called on the listener's own queue; must not block.
    public init(
        _ settings: ConnectionSettings, channels: [String], probeInterval: Duration = .seconds(15),
        report: @escaping @Sendable (Event) -> Void
    ) {
        var settings = settings
        settings.statementTimeout = min(settings.statementTimeout, .seconds(10))
        settings.preparesStatements = false
        self.settings = settings
        self.channels = channels
        self.probeInterval = probeInterval
        self.report = report
    }

    /// Listens until the task is cancelled. Never throws: a lost connection is reported and made again.
    public func run() async {
        var failures = 0
        while !Task.isCancelled {
            do {
                try listen()
                failures = 0
                while !Task.isCancelled, failure == nil {
                    await pause(for: probeInterval)
                    guard failure == nil, !Task.isCancelled else { break }
                    try connection?.query("SELECT 1")
                    drain()
                }
                if let failure { throw failure }
            } catch {
                failures += 1
                hangUp()
                report(.interrupted(error as? PostgresError ?? PostgresError(.connectionLost, "\(error)")))
                if !Task.isCancelled { await pause(for: backoff.delay(afterFailures: failures)) }
            }
        }
        hangUp()
    }

    private func listen() throws {
        failure = nil
        let connection = try Connection(settings)
        self.connection = connection
        for channel in channels { try connection.query("LISTEN " + Connection.quoted(identifier: channel)) }
        // A duplicate, so that the source's descriptor outlives libpq's and is closed when the source has let go.
        let descriptor = dup(connection.socket)
        guard descriptor >= 0 else { throw PostgresError(.connectionLost, "dup: " + String(cString: strerror(errno))) }
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: executor.queue)
        source.setEventHandler { [weak self] in self?.assumeIsolated { $0.drain() } }
        source.setCancelHandler { Glibc.close(descriptor) }
        self.source = source
        source.activate()
        report(.listening)
        drain()
    }

    private func drain() {
        guard let connection, failure == nil else { return }
        do {
            for notification in try connection.takeNotifications() { report(.notification(notification)) }
        } catch {
            failure = error as? PostgresError ?? PostgresError(.connectionLost, "\(error)")
            source?.cancel()
            pause?.cancel()
        }
    }

    private func hangUp() {
        source?.cancel()
        source = nil
        connection = nil
    }

    /// A sleep that the listener's cancellation and `drain` can cut short.
    private func pause(for duration: Duration) async {
        let sleep = Task<Void, Never> { try? await Task.sleep(for: duration) }
        pause = sleep
        await withTaskCancellationHandler {
            await sleep.value
        } onCancel: {
            sleep.cancel()
        }
        pause = nil
    }
}
