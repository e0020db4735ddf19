import Foundation
import Support
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

    /// `SHUFFLENETD_CRON_YEARS=10` simulates as many years.
    @Test func `three schedulers in every zone of the world make each night's job once and leave none out`() throws {
        let years = ProcessInfo.processInfo.environment["SHUFFLENETD_CRON_YEARS"].flatMap(Int.init) ?? 1
        let begin = Date(timeIntervalSince1970: 1_451_649_600)  // 2016-01-01 12:00 UTC
        let end = begin + Double(years) * 365.25 * 86_400
        let cron = try CronExpression("30 2 * * *")
        var generator = SeededGenerator(seed: 4)
        for zone in try Self.zones() {
            let timeZone = try #require(TimeZone(identifier: zone))
            let plan = SchedulePlan(cron: cron, timeZone: timeZone, catchUp: .all)
            // What the database keeps: the row of the schedule and the unique (schedule, fire_at) of jobs.
            var row: Date?
            var jobs: [Date] = []
            // Each has read the row at some time, and acts on what it read later, when it may be old.
            var copies: [Date?] = [nil, nil, nil]
            var now = begin
            while now < end {
                now += 3600 * Double(generator.nextUnit() * 60 + 1)
                let who = Int(generator.next() % 3)
                let decision = plan.decide(next: copies[who], anchor: begin, now: min(now, end))
                for fire in decision.fires where !jobs.suffix(50).contains(fire) { jobs.append(fire) }
                row = max(row ?? .distantPast, decision.next ?? .distantPast)
                copies[Int(generator.next() % 3)] = row
            }
            for who in 0..<3 {
                for fire in plan.decide(next: copies[who], anchor: begin, now: end).fires
                where !jobs.suffix(200).contains(fire) { jobs.append(fire) }
            }
            let days = jobs.map {
                Int((($0.timeIntervalSince1970 + Double(timeZone.secondsFromGMT(for: $0))) / 86_400).rounded(.down))
            }
            let expected = Array(days[0]..<(days[0] + days.count))
            #expect(days.sorted() == expected, "\(zone)")
            #expect(abs(days.count - Int(Double(years) * 365.25)) <= 1, "\(zone)")
        }
    }

    /// All zones and links of the IANA's data base, of which Foundation lists three quarters. `Factory` is no place.
    private static func zones() throws -> [String] {
        let source = try String(contentsOfFile: "/usr/share/zoneinfo/tzdata.zi", encoding: .utf8)
        let named = source.split(separator: "\n").compactMap { line -> String? in
            let fields = line.split(separator: " ")
            switch fields.first {
            case "Z": return String(fields[1])
            case "L": return String(fields[2])
            default: return nil
            }
        }
        #expect(named.count > 500)
        return Set(named + TimeZone.knownTimeZoneIdentifiers).subtracting(["Factory"]).sorted()
    }
}
