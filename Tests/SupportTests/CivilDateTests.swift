import Support
import Testing

@Suite struct CivilDateTests {
    @Test(
        "Days of leap years, of centuries, from before 1970 and from before the calendar have their numbers",
        arguments: [
            (1970, 1, 1, 0, 4), (1969, 12, 31, -1, 3), (2000, 2, 29, 11_016, 2), (1900, 3, 1, -25_508, 4),
            (2026, 3, 29, 20_541, 0), (2100, 3, 1, 47_541, 1), (1, 1, 1, -719_162, 1), (0, 12, 31, -719_163, 0),
        ])
    func known(year: Int, month: Int, day: Int, days: Int, dayOfWeek: Int) {
        let civil = CivilDate(year: year, month: month, day: day)
        #expect(civil.daysFrom1970 == days)
        #expect(CivilDate(daysFrom1970: days) == civil)
        #expect(civil.dayOfWeek == dayOfWeek)
    }

    @Test("From day to day of 800 years: the next of the month, or the first of the next one after the month's length")
    func succession() {
        let start = CivilDate(year: 1600, month: 1, day: 1).daysFrom1970
        var date = CivilDate(daysFrom1970: start)
        for days in start + 1...start + 2 * 146_097 {
            let next = CivilDate(daysFrom1970: days)
            let isLast = date.day == date.monthLength
            let isYearsEnd = isLast && date.month == 12
            let wanted = CivilDate(
                year: date.year + (isYearsEnd ? 1 : 0), month: isLast ? date.month % 12 + 1 : date.month,
                day: isLast ? 1 : date.day + 1)
            guard next == wanted, next.daysFrom1970 == days, next.dayOfWeek == (date.dayOfWeek + 1) % 7 else {
                Issue.record("after \(date) comes \(next)")
                return
            }
            date = next
        }
        #expect(date == CivilDate(year: 2400, month: 1, day: 1))
    }

    @Test("Quotients are rounded down, and remainders are not negative", arguments: -9...9)
    func floored(value: Int) {
        let (quotient, remainder) = value.floored(by: 4)
        #expect(quotient * 4 + remainder == value)
        #expect((0..<4).contains(remainder))
    }
}
