import Foundation
import JobQueue

/// How one daemon stands at a moment, for its metrics and its page.
struct DaemonFigures {
    struct Disk {
        var name: String
        var freeBytes: Int64
    }

    var now: Date
    var started: Date
    var version: String
    var instructionSet: String
    var slots: Int
    var busySlots: Int
    var isDraining: Bool
    /// Since the last answered heartbeat was sent.
    var silence: Duration
    var attempts: [AttemptTally.Key: AttemptTally.Counts]
    var disks: [Disk]
    /// Nil: the database does not answer, and why.
    var queue: QueueFigures?
    var trouble: String?
}
