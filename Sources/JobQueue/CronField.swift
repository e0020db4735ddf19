/// One field of a cron expression: which numbers it takes, and how people may call them.
struct CronField: Sendable {
    let name: String
    let range: ClosedRange<Int>
    var names: [String] = []
    /// The number of the first name.
    var firstName = 0

    static let minute = CronField(name: "minute", range: 0...59)
    static let hour = CronField(name: "hour", range: 0...23)
    static let dayOfMonth = CronField(name: "day of month", range: 1...31)
    static let month = CronField(
        name: "month", range: 1...12,
        names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], firstName: 1)
    static let dayOfWeek = CronField(
        name: "day of week", range: 0...7, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"])

    func parse(_ text: String) throws(CronExpression.Mistake) -> Set64 {
        var result = Set64()
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = item.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            let bounds = parts[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            let span: ClosedRange<Int>
            if parts[0] == "*" {
                span = name == Self.dayOfWeek.name ? 0...6 : range
            } else {
                let first = try number(bounds[0])
                let last = bounds.count == 2 ? try number(bounds[1]) : first
                guard first <= last else {
                    throw CronExpression.Mistake(description: "range '\(parts[0])' runs backwards, write it as two")
                }
                span = first...last
            }
            var step = 1
            if parts.count == 2 {
                guard parts[0] == "*" || bounds.count == 2 else {
                    throw CronExpression.Mistake(
                        description:
                            "'\(item)' has a step without a range, write \(parts[0])-\(range.upperBound)/\(parts[1])")
                }
                guard parts[1].utf8.allSatisfy(Self.isDigit), let value = Int(parts[1]), (1...1000).contains(value)
                else {
                    throw CronExpression.Mistake(description: "step '\(parts[1])' is no whole number above 0")
                }
                step = value
            }
            for value in stride(from: span.lowerBound, through: span.upperBound, by: step) { result.insert(value) }
        }
        return result
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

    private func number(_ text: Substring) throws(CronExpression.Mistake) -> Int {
        if let index = names.firstIndex(of: String(text)) { return firstName + index }
        guard !text.isEmpty, text.utf8.allSatisfy(Self.isDigit), let value = Int(text),
            range.contains(value)
        else {
            throw CronExpression.Mistake(
                description: "found '\(text)', wanted \(range.lowerBound) to \(range.upperBound)"
                    + (names.isEmpty ? "" : " or \(names[0]) to \(names[names.count - 1])"))
        }
        return value
    }
}
