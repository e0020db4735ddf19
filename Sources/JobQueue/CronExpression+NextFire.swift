public import Foundation

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
        var day = Self.floored(start, by: 86_400)
        var minuteOfDay = (start - day * 86_400) / 60
        // 29 February comes at least every eight years; the days of the week go round in 28, or 40 over a century.
        let lastDay = day + 41 * 366
        while day <= lastDay {
            let date = CivilDate(daysFrom1970: day)
            if !months.contains(date.month) {
                day += date.daysToNextMonth
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

    static func floored(_ value: Int, by divisor: Int) -> Int {
        (value - (((value % divisor) + divisor) % divisor)) / divisor
    }

    private static func floorToMinute(_ seconds: Int) -> Int { floored(seconds, by: 60) * 60 }
}

/// A day of the Gregorian calendar, after Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms".
private struct CivilDate {
    let year: Int
    let month: Int
    let day: Int
    /// 0 is Sunday.
    let dayOfWeek: Int

    init(daysFrom1970 days: Int) {
        let shifted = days + 719_468
        let era = CronExpression.floored(shifted, by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let weekday = (days + 4) % 7
        dayOfWeek = weekday < 0 ? weekday + 7 : weekday
    }

    var daysToNextMonth: Int {
        let length: Int =
            switch month {
            case 4, 6, 9, 11: 30
            case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
            default: 31
            }
        return length - day + 1
    }
}
