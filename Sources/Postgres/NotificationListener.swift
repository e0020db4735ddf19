internal import Foundation

/// What came by `NOTIFY`.
public struct PostgresNotification: Sendable, Equatable {
    public let channel: String
    public let payload: String

    public init(channel: String, payload: String) {
        self.channel = channel
        self.payload = payload
    }
}

/// Listens on a connection of its own, which must be direct: a transaction pooler takes LISTEN and passes nothing on,
/// while every other statement works. So the listener sends itself a notification by another connection, at the beginning
/// and then from time to time, and counts as listening only while these arrive.
///
/// Notifications are hints. What was sent while the connection was down is lost, so whoever hears `.listening` looks
/// for himself, and looks from time to time anyway.
public actor NotificationListener {
    public enum Event: Sendable, Equatable {
        /// Notifications arrive from now on; anything may have happened before.
        case listening
        case notification(PostgresNotification)
        /// The connection was lost, could not be made, or is deaf; another try follows.
        case interrupted(PostgresError)
    }

    /// How the listener finds out whether it hears anything.
    public struct Probe: Sendable {
        /// By which the notification is sent.
        var database: Database
        var interval: Duration
        /// How long the notification may take; usual are milliseconds.
        var limit: Duration

        public init(
            by database: Database, every interval: Duration = .seconds(15), within limit: Duration = .seconds(5)
        ) {
            self.database = database
            self.interval = interval
            self.limit = limit
        }
    }

    private nonisolated let loop = SocketLoop.shared
    private let settings: ConnectionSettings
    private let channels: [String]
    private let probe: Probe
    private let backoff = Backoff(first: .milliseconds(100), cap: .seconds(5))
    private let report: @Sendable (Event) -> Void
    /// Of this listener alone: no other one is woken by its probes.
    private let probeChannel = "listener_\(UUID().uuidString.lowercased())"
    private var probeArrived = false
    private var pause: Task<Void, Never>?
    private var failure: PostgresError?

    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// - Parameter report: called on the thread of all connections; must not block.
    public init(
        _ settings: ConnectionSettings, channels: [String], probe: Probe, report: @escaping @Sendable (Event) -> Void
    ) {
        var settings = settings
        settings.statementTimeout = min(settings.statementTimeout, .seconds(10))
        settings.preparesStatements = false
        self.settings = settings
        self.channels = channels
        self.probe = probe
        self.report = report
    }

    /// Listens until the task is cancelled. Never throws: a lost connection is reported and made again.
    public func run() async {
        var failures = 0
        while !Task.isCancelled {
            do {
                failure = nil
                // Anew for every try: a session that heals by itself would forget its LISTEN.
                let session = Session(settings, backoff: backoff) { [weak self] news in
                    self?.assumeIsolated { $0.hear(news) }
                }
                for channel in channels + [probeChannel] {
                    _ = try await session.query("LISTEN " + Connection.quoted(identifier: channel))
                }
                try await sendProbe()
                failures = 0
                report(.listening)
                while !Task.isCancelled {
                    if failure == nil { await pause(for: probe.interval) }
                    if !Task.isCancelled { try await sendProbe() }
                }
                await session.close()
            } catch {
                failures += 1
                if Task.isCancelled { return }
                report(.interrupted(error as? PostgresError ?? PostgresError(.connectionLost, "\(error)")))
                await pause(for: backoff.delay(afterFailures: failures))
            }
        }
    }

    /// Throws if it does not arrive, could not be sent, or the connection was lost.
    private func sendProbe() async throws {
        if let failure { throw failure }
        probeArrived = false
        try await probe.database.query("SELECT pg_notify($1, '')", [probeChannel])
        // It may have arrived before the answer.
        if !probeArrived, failure == nil { await pause(for: probe.limit) }
        if let failure { throw failure }
        guard probeArrived || Task.isCancelled else {
            throw PostgresError(
                .prerequisiteMissing, "a notification sent by another connection did not arrive within \(probe.limit)",
                hint: "LISTEN needs a direct connection: where the database is a transaction pooler, give one under "
                    + "the key listen.")
        }
    }

    private func hear(_ news: Session.News) {
        switch news {
        case .notification(let notification) where notification.channel == probeChannel:
            probeArrived = true
            pause?.cancel()
        case .notification(let notification):
            report(.notification(notification))
        case .lost(let error):
            failure = error
            pause?.cancel()
        }
    }

    /// A sleep that the listener's cancellation and `hear` can cut short.
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
