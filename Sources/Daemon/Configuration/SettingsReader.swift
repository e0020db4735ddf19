import Configuration

/// Looks settings up in several places, later places on top, and gathers every mistake instead of stopping at the first.
struct SettingsReader {
    /// One place settings come from, and how a person would name a key in it.
    struct Source {
        var provider: any ConfigProvider
        var place: (_ key: String) -> String
    }

    /// In falling order of precedence.
    var sources: [Source]
    var mistakes: [ConfigurationMistake] = []

    /// The setting's value where it is given, else nil. A value that cannot be read is noted and also gives nil.
    mutating func value<Value>(_ key: String, _ parser: SettingParser<Value>) -> Value? {
        let address = AbsoluteConfigKey(key.split(separator: ".").map(String.init))
        for source in sources {
            let found: String
            do {
                let lookup = try source.provider.value(forKey: address, type: .string)
                guard case .string(let text)? = lookup.value?.content else { continue }
                found = text
            } catch {
                note(source.place(key), "found a list, wanted \(parser.wanted)")
                return nil
            }
            if found.isEmpty { continue }
            if let value = parser.parse(found) { return value }
            note(source.place(key), "found '\(found)', wanted \(parser.wanted)")
            return nil
        }
        return nil
    }

    /// Overwrites `target` when the setting is given.
    mutating func read<Value>(_ key: String, _ parser: SettingParser<Value>, into target: inout Value) {
        if let value = value(key, parser) { target = value }
    }

    mutating func note(_ place: String, _ problem: String) {
        mistakes.append(ConfigurationMistake(place: place, problem: problem))
    }
}
