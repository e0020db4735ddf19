public import Foundation
internal import Support

extension CronExpression {
    /// The first time after `instant` at which the expression fires in `timeZone`; nil if it never does (31 February).
    ///
    /// The rules of daylight saving: every local time that matches fires once. One that is skipped fires at the first
    /// instant after the gap, together with all others of the gap; one that comes twice fires the first time.
    /// Whatever the wildcards: unlike Vixie cron, `*/15 * * * *` rests in the hour that comes again.
    public func nextFire(after instant: Date, in timeZone: TimeZone) -> Date? {
        let zone = LocalTime(timeZone)
        // Whole seconds: the fire times are, and a fraction would make one look later than itself.
        let after = Int(instant.timeIntervalSince1970.rounded(.down))
        var local = Self.floorToMinute(after + zone.offset(at: after))
        // Several local times can lie in a gap or in an hour that came before: then the first beyond `instant` counts.
        while let candidate = nextMatch(from: local) {
            let fire = zone.firstInstant(ofLocal: candidate)
            if fire > after { return Date(timeIntervalSince1970: TimeInterval(fire)) }
            local = candidate + 60
        }
        return nil
    }

    /// The first matching minute at or after `start`; both in seconds from 1970-01-01 00:00 on the local clock.
    private func nextMatch(from start: Int) -> Int? {
        let (firstDay, second) = start.floored(by: 86_400)
        var (day, minuteOfDay) = (firstDay, second / 60)
        // 29 February comes at least every eight years; the days of the week go round in 28, or 40 over a century.
        let lastDay = day + 41 * 366
        while day <= lastDay {
            let date = CivilDate(daysFrom1970: day)
            if !months.contains(date.month) {
                day += date.monthLength - date.day + 1
                minuteOfDay = 0
                continue
            }
            if matches(dayOfMonth: date.day, dayOfWeek: date.dayOfWeek), let minute = nextMinute(from: minuteOfDay) {
                return day * 86_400 + minute * 60
            }
            day += 1
            minuteOfDay = 0
        }
        return nil
    }

    private func nextMinute(from minuteOfDay: Int) -> Int? {
        guard let hour = hours.next(from: minuteOfDay / 60) else { return nil }
        if hour == minuteOfDay / 60, let minute = minutes.next(from: minuteOfDay % 60) { return hour * 60 + minute }
        let later = hour == minuteOfDay / 60 ? hours.next(from: hour + 1) : hour
        guard let later, let minute = minutes.next(from: 0) else { return nil }
        return later * 60 + minute
    }

    private static func floorToMinute(_ seconds: Int) -> Int { seconds - seconds.floored(by: 60).remainder }
}
