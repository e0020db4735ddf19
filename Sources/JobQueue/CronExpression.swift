/// The five fields of crontab(5): minute, hour, day of month, month, day of week; or `@daily` and the like.
///
/// Fields take `*`, numbers, ranges, lists, steps (`*/5`, `8-18/2`) and, for month and day of week, English names.
/// When both day fields are restricted a day needs to match only one of them, as in Vixie cron.
public struct CronExpression: Sendable, Equatable {
    let minutes: Set64
    let hours: Set64
    let daysOfMonth: Set64
    let months: Set64
    /// 0 is Sunday.
    let daysOfWeek: Set64
    /// Vixie's rule looks at the first character: `*/2` counts as unrestricted too.
    let anyDayOfMonth: Bool
    let anyDayOfWeek: Bool

    /// What is wrong with an expression, as a sentence.
    public struct Mistake: Error, Sendable, Equatable, CustomStringConvertible {
        public let description: String
    }

    public init(_ text: String) throws(Mistake) {
        var fields = text.split(whereSeparator: \.isWhitespace).map { $0.lowercased() }
        if fields.count == 1, fields[0].hasPrefix("@") {
            guard let meaning = Self.nicknames[fields[0]] else {
                throw Mistake(
                    description: "cron '\(text)': '\(fields[0])' is not known, wanted "
                        + Self.nicknames.keys.sorted().joined(separator: ", "))
            }
            fields = meaning.split(separator: " ").map(String.init)
        }
        guard fields.count == 5 else {
            throw Mistake(
                description: "cron '\(text)' has \(fields.count) fields, wanted 5: "
                    + "minute hour day-of-month month day-of-week")
        }
        func parse(_ index: Int, _ kind: CronField) throws(Mistake) -> Set64 {
            do {
                return try kind.parse(fields[index])
            } catch {
                throw Mistake(description: "cron '\(text)', \(kind.name): \(error.description)")
            }
        }
        minutes = try parse(0, .minute)
        hours = try parse(1, .hour)
        daysOfMonth = try parse(2, .dayOfMonth)
        months = try parse(3, .month)
        daysOfWeek = try parse(4, .dayOfWeek).foldingSeventhDay()
        anyDayOfMonth = fields[2].hasPrefix("*")
        anyDayOfWeek = fields[4].hasPrefix("*")
    }

    func matches(dayOfMonth: Int, dayOfWeek: Int) -> Bool {
        let month = daysOfMonth.contains(dayOfMonth)
        let week = daysOfWeek.contains(dayOfWeek)
        return anyDayOfMonth || anyDayOfWeek ? month && week : month || week
    }

    private static let nicknames = [
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
    ]
}

/// A set of whole numbers from 0 to 63.
struct Set64: Sendable, Equatable {
    private(set) var bits: UInt64 = 0

    mutating func insert(_ number: Int) { bits |= 1 << UInt64(number) }

    func contains(_ number: Int) -> Bool { bits & (1 << UInt64(number)) != 0 }

    /// The smallest member that is at least `number`.
    func next(from number: Int) -> Int? {
        guard number < 64 else { return nil }
        let rest = bits & (~0 << UInt64(number))
        return rest == 0 ? nil : rest.trailingZeroBitCount
    }

    /// Both 0 and 7 are Sunday.
    func foldingSeventhDay() -> Set64 {
        var folded = self
        if contains(7) { folded.insert(0) }
        folded.bits &= 0b111_1111
        return folded
    }
}
