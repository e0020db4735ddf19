import Foundation
import Testing

@testable import JobQueue

@Suite struct SchedulePlanTests {
    private let midnight = Date(timeIntervalSince1970: 1_767_225_600)  // 2026-01-01 00:00 UTC

    private func decide(
        _ catchUp: ScheduleDefinition.CatchUp, next: Date? = nil, now: Date, cron: String = "0 * * * *"
    ) throws -> SchedulePlan.Decision {
        SchedulePlan(cron: try CronExpression(cron), timeZone: .gmt, catchUp: catchUp)
            .decide(next: next, anchor: midnight, now: now)
    }

    @Test func `nothing is due before its time`() throws {
        #expect(try decide(.all, now: midnight + 3599) == .init(next: midnight + 3600))
    }

    @Test(arguments: ScheduleDefinition.CatchUp.allCases)
    func `a time that has just come fires, whatever the rule for missed ones`(catchUp: ScheduleDefinition.CatchUp)
        throws
    {
        let now = midnight + 3600 + 2
        #expect(
            try decide(catchUp, next: midnight + 3600, now: now)
                == .init(fires: [midnight + 3600], next: midnight + 7200))
    }

    @Test(arguments: [(ScheduleDefinition.CatchUp.skip, 0, 5), (.once, 1, 4), (.all, 5, 0)])
    func `after five missed hours`(catchUp: ScheduleDefinition.CatchUp, fires: Int, missed: Int) throws {
        let decision = try decide(catchUp, next: midnight + 3600, now: midnight + 5 * 3600 + 1800)
        #expect(decision.fires == [1, 2, 3, 4, 5].suffix(fires).map { midnight + $0 * 3600 })
        #expect(decision.missed == missed)
        #expect(decision.next == midnight + 6 * 3600)
    }

    @Test func `years of missed minutes are few steps, and the last of them is caught up with`() throws {
        let now = midnight + 3 * 365 * 86_400 + 30
        let decision = try decide(.once, now: now, cron: "* * * * *")
        #expect(decision.fires == [now - 30])
        #expect(decision.next == now + 30)
        #expect(try decide(.all, now: midnight + 86_400 * 2, cron: "* * * * *").fires.count == SchedulePlan.most)
    }

    @Test func `a clock that was set back fires nothing twice`() throws {
        // The books say 07:00, the clock has gone back to 05:30.
        let decision = try decide(.all, next: midnight + 7 * 3600, now: midnight + 5 * 3600 + 1800)
        #expect(decision == .init(next: midnight + 7 * 3600))
    }
}
