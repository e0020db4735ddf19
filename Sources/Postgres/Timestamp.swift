internal import Foundation
internal import Support

/// PostgreSQL's text of a `timestamptz`, ISO style: `2026-03-29 02:30:00.25+01:30`.
///
/// Own arithmetic (proleptic Gregorian, as the server's) because Foundation's formatters know neither the short
/// offsets nor microseconds.
enum Timestamp {
    static func text(of date: Date) -> String {
        let microseconds = Int((date.timeIntervalSince1970 * 1e6).rounded())
        let (seconds, fraction) = microseconds.floored(by: 1_000_000)
        let (days, second) = seconds.floored(by: 86_400)
        let civil = CivilDate(daysFrom1970: days)
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : String(value) }
        let padded = String(repeating: "0", count: 6 - String(fraction).count) + String(fraction)
        let yearText = civil.year > 0 ? civil.year : 1 - civil.year
        let fourDigits = String(repeating: "0", count: max(0, 4 - String(yearText).count)) + String(yearText)
        return "\(fourDigits)-\(two(civil.month))-\(two(civil.day)) \(two(second / 3600)):\(two(second / 60 % 60)):"
            + "\(two(second % 60)).\(padded)+00\(civil.year > 0 ? "" : " BC")"
    }

    static func date(from text: String) -> Date? {
        var rest = Substring(text)
        func number(_ separators: Set<Character>) -> Int? {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard !digits.isEmpty, let value = Int(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            guard separators.isEmpty || rest.first.map(separators.contains) == true else { return nil }
            if !separators.isEmpty { rest = rest.dropFirst() }
            return value
        }
        guard let year = number(["-"]), let month = number(["-"]), let day = number([" ", "T"]),
            let hour = number([":"]), let minute = number([":"]), let second = number([]),
            (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        var microseconds = 0
        if rest.first == "." {
            let digits = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
            guard let value = Int((digits + "000000").prefix(6)) else { return nil }
            microseconds = value
            rest = rest.dropFirst(1 + digits.count)
        }
        guard let sign = rest.first, sign == "+" || sign == "-" else { return nil }
        let parts = rest.dropFirst().split(separator: ":").map { Int($0) ?? -1 }
        guard (1...3).contains(parts.count), parts.allSatisfy({ $0 >= 0 }) else { return nil }
        let offset = zip(parts, [3600, 60, 1]).reduce(0) { $0 + $1.0 * $1.1 } * (sign == "-" ? -1 : 1)
        let days = CivilDate(year: year, month: month, day: day).daysFrom1970
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
        return Date(timeIntervalSince1970: Double(seconds) + Double(microseconds) / 1e6)
    }
}
