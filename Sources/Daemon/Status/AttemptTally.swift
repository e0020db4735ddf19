import JobQueue
import Synchronization

/// Counts the attempts that ended in this process, by what their children ended with, for those who watch it. What the
/// publication then made of one stands in the queue.
final class AttemptTally: Sendable {
    struct Key: Hashable, Comparable {
        var kind: String
        /// `completed`, `cancelled`, `given_back`, `abandoned`, or the reason of a failure.
        var outcome: String

        static func < (left: Self, right: Self) -> Bool { (left.kind, left.outcome) < (right.kind, right.outcome) }
    }

    struct Counts {
        var attempts = 0
        var cpuTime = Duration.zero
    }

    private let counts = Mutex<[Key: Counts]>([:])

    func add(_ kind: JobKind, _ settlement: Dispatcher.Settlement, _ usage: AttemptUsage) {
        let key = Key(kind: kind.rawValue, outcome: Self.outcome(of: settlement))
        counts.withLock {
            $0[key, default: Counts()].attempts += 1
            $0[key, default: Counts()].cpuTime += usage.cpuTime ?? .zero
        }
    }

    var all: [Key: Counts] { counts.withLock { $0 } }

    private static func outcome(of settlement: Dispatcher.Settlement) -> String {
        switch settlement {
        case .publish: "completed"
        case .fail(let reason, _): reason.rawValue
        case .cancel: "cancelled"
        case .release, .releaseForSpool: "given_back"
        case .abandon: "abandoned"
        }
    }
}
