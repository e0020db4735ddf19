import Logging

/// How a setting's text becomes its value; `wanted` completes the sentence "…, wanted …".
struct SettingParser<Value> {
    var wanted: String
    var parse: (String) -> Value?
}

extension SettingParser where Value == Int {
    static func whole(_ range: ClosedRange<Int>) -> Self {
        Self(wanted: "a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension SettingParser where Value == String {
    static var path: Self {
        Self(wanted: "a path") { $0.isEmpty || $0.contains("\0") ? nil : DaemonConfiguration.absolute($0) }
    }

    static var text: Self { Self(wanted: "a text") { $0 } }
}

extension SettingParser where Value == Bool {
    static var flag: Self { Self(wanted: "true or false") { Bool($0.lowercased()) } }
}

extension SettingParser where Value == Logger.Level {
    static var logLevel: Self {
        Self(wanted: "one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))") {
            Logger.Level(rawValue: $0.lowercased())
        }
    }
}

extension SettingParser where Value == Duration {
    /// `500ms`, `5s`, `2min`, `1h`; a bare number is seconds.
    static func duration(_ range: ClosedRange<Duration>) -> Self {
        Self(wanted: "a duration from \(range.lowerBound) to \(range.upperBound), for instance 500ms, 5s, 2min") {
            text in
            Self.read(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    private static func read(_ text: String) -> Duration? {
        let units: [(String, Double)] = [("ms", 0.001), ("min", 60), ("s", 1), ("h", 3600), ("d", 86400)]
        let trimmed = text.filter { $0 != " " }
        let unit = units.first { trimmed.hasSuffix($0.0) }
        guard let number = Double(trimmed.dropLast(unit?.0.count ?? 0)), number.isFinite, number >= 0, number < 1e9
        else { return nil }
        return .milliseconds(Int64((number * (unit?.1 ?? 1) * 1000).rounded()))
    }
}

extension SettingParser where Value == Int64 {
    /// `512MiB`, `2GB`; a bare number is bytes.
    static var byteCount: Self {
        Self(wanted: "a size, for instance 512MiB or 2GB") { text in
            let units: [(String, Double)] = [
                ("KiB", 0x1p10), ("MiB", 0x1p20), ("GiB", 0x1p30), ("TiB", 0x1p40), ("kB", 1e3), ("KB", 1e3),
                ("MB", 1e6),
                ("GB", 1e9), ("TB", 1e12), ("B", 1),
            ]
            let trimmed = text.filter { $0 != " " }
            let unit = units.first { trimmed.hasSuffix($0.0) }
            guard let number = Double(trimmed.dropLast(unit?.0.count ?? 0)), number >= 0 else { return nil }
            let bytes = number * (unit?.1 ?? 1)
            return bytes < 0x1p62 ? Int64(bytes) : nil
        }
    }
}
