internal import Foundation

/// PostgreSQL's text of a `timestamptz`, ISO style: `2026-03-29 02:30:00.25+01:30`.
///
/// Own arithmetic (proleptic Gregorian, as the server's) because Foundation's formatters know neither the short
/// offsets nor microseconds.
enum Timestamp {
    static func text(of date: Date) -> String {
        let microseconds = Int64((date.timeIntervalSince1970 * 1e6).rounded())
        let (seconds, fraction) = floored(microseconds, by: 1_000_000)
        let (days, second) = floored(seconds, by: 86_400)
        let (year, month, day) = civil(fromDays: days)
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : String(value) }
        let padded = String(repeating: "0", count: 6 - String(fraction).count) + String(fraction)
        let yearText = year > 0 ? year : 1 - year
        let fourDigits = String(repeating: "0", count: max(0, 4 - String(yearText).count)) + String(yearText)
        return "\(fourDigits)-\(two(month))-\(two(day)) \(two(second / 3600)):\(two(second / 60 % 60)):"
            + "\(two(second % 60)).\(padded)+00\(year > 0 ? "" : " BC")"
    }

    static func date(from text: String) -> Date? {
        var rest = Substring(text)
        func number(_ separators: Set<Character>) -> Int64? {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard !digits.isEmpty, let value = Int64(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            guard separators.isEmpty || rest.first.map(separators.contains) == true else { return nil }
            if !separators.isEmpty { rest = rest.dropFirst() }
            return value
        }
        guard let year = number(["-"]), let month = number(["-"]), let day = number([" ", "T"]),
            let hour = number([":"]), let minute = number([":"]), let second = number([]),
            (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        var microseconds: Int64 = 0
        if rest.first == "." {
            let digits = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
            guard let value = Int64((digits + "000000").prefix(6)) else { return nil }
            microseconds = value
            rest = rest.dropFirst(1 + digits.count)
        }
        guard let sign = rest.first, sign == "+" || sign == "-" else { return nil }
        let parts = rest.dropFirst().split(separator: ":").map { Int64($0) ?? -1 }
        guard (1...3).contains(parts.count), parts.allSatisfy({ $0 >= 0 }) else { return nil }
        let offset = zip(parts, [3600, 60, 1]).reduce(Int64(0)) { $0 + $1.0 * $1.1 } * (sign == "-" ? -1 : 1)
        let seconds =
            days(fromYear: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60 + second - offset
        return Date(timeIntervalSince1970: Double(seconds) + Double(microseconds) / 1e6)
    }

    /// Days from 1970-01-01, after Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms".
    static func days(fromYear year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = floored(shifted, by: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floored(days + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        )
    }

    private static func floored(_ value: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let remainder = ((value % divisor) + divisor) % divisor
        return ((value - remainder) / divisor, remainder)
    }
}
