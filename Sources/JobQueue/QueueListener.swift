public import Postgres

/// Something that may have happened in the queue. Only a hint: look for yourself.
public enum QueueHint: Sendable, Equatable {
    /// There may be something to claim.
    case work
    /// A running job is asked to stop.
    case cancel(JobID)
    /// LISTEN is in force from now on: look at everything once.
    case listening
    /// Notifications do not come at the moment; polling goes on, and another connection is made.
    case interrupted(PostgresError)
    /// The time to look without being told.
    case poll
}

/// Hears of new work by NOTIFY on a connection of its own, and says `poll` every two seconds whatever happens.
public struct QueueListener: Sendable {
    public static let channels = ["shufflenet_jobs", "shufflenet_cancel"]

    private let settings: ConnectionSettings
    private let probe: NotificationListener.Probe
    private let pollInterval: Duration

    /// - Parameters:
    ///   - settings: a direct connection; LISTEN through a transaction pooler hears nothing.
    ///   - database: by which it is tried whether notifications arrive.
    public init(_ settings: ConnectionSettings, probedBy database: Database, pollInterval: Duration = .seconds(2)) {
        self.settings = settings
        probe = NotificationListener.Probe(by: database)
        self.pollInterval = pollInterval
    }

    /// Begins to listen; ends when the sequence is let go or its task is cancelled. For one consumer.
    public func hints() -> AsyncStream<QueueHint> {
        let (stream, continuation) = AsyncStream.makeStream(of: QueueHint.self, bufferingPolicy: .bufferingNewest(1024))
        let listener = NotificationListener(settings, channels: Self.channels, probe: probe) { event in
            if let hint = QueueHint(event) { continuation.yield(hint) }
        }
        let pollInterval = pollInterval
        let task = Task {
            await withDiscardingTaskGroup { group in
                group.addTask { await listener.run() }
                group.addTask {
                    while !Task.isCancelled {
                        continuation.yield(.poll)
                        // Jitter: daemons started together must not ask together for ever.
                        try? await Task.sleep(for: pollInterval * Double.random(in: 0.8...1.2))
                    }
                }
            }
            continuation.finish()
        }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }
}

extension QueueHint {
    init?(_ event: NotificationListener.Event) {
        switch event {
        case .listening: self = .listening
        case .interrupted(let error): self = .interrupted(error)
        case .notification(let notification):
            switch notification.channel {
            case "shufflenet_jobs": self = .work
            case "shufflenet_cancel":
                guard let id = Int64(notification.payload) else { return nil }
                self = .cancel(JobID(id))
            default: return nil
            }
        }
    }
}
