internal import Foundation

/// Decides which times of a schedule to fire now, and when to look again. The clock is a parameter.
struct SchedulePlan {
    /// A time that passed no longer ago than this is fired as on time, not caught up with.
    static let punctual: TimeInterval = 60
    /// The most that is caught up with at once; older times are left out.
    static let most = 1000

    struct Decision: Equatable {
        /// Oldest first.
        var fires: [Date] = []
        /// Times that passed and are not fired.
        var missed = 0
        /// nil: never again.
        var next: Date?
    }

    let cron: CronExpression
    let timeZone: TimeZone
    let catchUp: ScheduleDefinition.CatchUp

    /// - Parameters:
    ///   - next: what was worked out before; nil the first time.
    ///   - anchor: where to begin the first time.
    func decide(next: Date?, anchor: Date, now: Date) -> Decision {
        var due: [Date] = []
        var missed = 0
        var time = next ?? cron.nextFire(after: anchor, in: timeZone)
        while let fire = time, fire <= now {
            due.append(fire)
            if due.count > Self.most {
                due.removeFirst()
                missed += 1
            }
            // After years of rest a schedule of every minute is not walked through minute by minute.
            let dense = missed > 10 * Self.most && catchUp != .all
            time = cron.nextFire(after: dense ? max(fire, now - 86_400) : fire, in: timeZone)
        }
        let fires =
            switch catchUp {
            case .all: due
            case .once: Array(due.suffix(1))
            case .skip: due.suffix(1).filter { now.timeIntervalSince($0) <= Self.punctual }
            }
        return Decision(fires: fires, missed: missed + due.count - fires.count, next: time)
    }
}
