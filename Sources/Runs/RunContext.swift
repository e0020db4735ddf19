public import Images
import Synchronization

/// What a run is given beside its options: somewhere to report to, and a flag that asks it to stop.
public struct RunContext: Sendable {
    private let emitter: @Sendable (RunEvent) -> Void
    /// Raised by whoever wants the run to end early; looked at once a batch.
    public let stop: StopFlag
    /// Worker threads for the engine; decoding uses as many beside them.
    public let threads: Int
    /// Where picture files are decoded; nil: in this process.
    public let isolation: DecodeIsolation?
    /// The least time between two progress events.
    public let progressInterval: Duration

    public init(
        threads: Int, stop: StopFlag = StopFlag(), isolation: DecodeIsolation? = nil,
        progressInterval: Duration = .milliseconds(250), emit: @escaping @Sendable (RunEvent) -> Void
    ) {
        precondition(threads > 0, "a run needs at least one thread")
        self.threads = threads
        self.isolation = isolation
        self.progressInterval = progressInterval
        self.stop = stop
        emitter = emit
    }

    func emit(_ event: RunEvent) {
        emitter(event)
    }

    func log(_ line: String) {
        emitter(.log(line: line))
    }
}

/// A request to stop, raised once and never taken back. Raising it is safe from any thread.
public final class StopFlag: Sendable {
    private let raised = Atomic<Bool>(false)

    public init() {}

    public func raise() {
        raised.store(true, ordering: .releasing)
    }

    public var isRaised: Bool {
        raised.load(ordering: .acquiring)
    }
}
