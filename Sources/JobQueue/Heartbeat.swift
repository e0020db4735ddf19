/// What the database answers to a worker's sign of life.
public struct Heartbeat: Sendable, Equatable {
    /// A job that runs in this worker's name, as the database sees it.
    public struct Holding: Sendable, Equatable {
        public var lease: Lease
        public var cancelRequested: Bool

        public init(lease: Lease, cancelRequested: Bool) {
            self.lease = lease
            self.cancelRequested = cancelRequested
        }
    }

    /// `false`: the worker was declared dead. All its leases are lost; it stops its children, publishes nothing, and
    /// registers anew.
    public var isAlive: Bool
    public var holdings: [Holding]

    public init(isAlive: Bool, holdings: [Holding]) {
        self.isAlive = isAlive
        self.holdings = holdings
    }

    /// Jobs to be stopped because a person asked.
    public var cancelRequests: [Lease] { holdings.filter(\.cancelRequested).map(\.lease) }
}

/// Compares what the database says with what the worker works on. Numbers in, findings out; no clock.
public struct LeaseAudit: Sendable, Equatable {
    public struct Findings: Sendable, Equatable {
        /// Worked on, and somebody else's by now: stop the child, publish nothing.
        public var lost: [Lease] = []
        public var cancelRequested: [Lease] = []
        /// Leased to this worker for at least one whole beat, and not worked on: the answer to a claim was lost on its
        /// way. Give them back with `release`.
        public var strangers: [Lease] = []

        public init(lost: [Lease] = [], cancelRequested: [Lease] = [], strangers: [Lease] = []) {
            self.lost = lost
            self.cancelRequested = cancelRequested
            self.strangers = strangers
        }
    }

    private var unknown: Set<Lease> = []

    public init() {}

    /// - Parameters:
    ///   - heldBefore: the leases worked on just before the heartbeat was sent.
    ///   - heldNow: those worked on now, and those being settled. What came or ended in between is judged next time.
    public mutating func compare(_ beat: Heartbeat, heldBefore: Set<Lease>, heldNow: Set<Lease>) -> Findings {
        let steady = heldBefore.intersection(heldNow)
        guard beat.isAlive else {
            unknown = []
            return Findings(lost: heldNow.sorted { $0.token < $1.token })
        }
        let ours = Set(beat.holdings.map(\.lease))
        let unheld = ours.subtracting(heldNow).subtracting(heldBefore)
        defer { unknown = unheld }
        return Findings(
            lost: steady.subtracting(ours).sorted { $0.token < $1.token },
            cancelRequested: beat.cancelRequests,
            strangers: unheld.intersection(unknown).sorted { $0.token < $1.token })
    }
}
