/// Reads a job's arguments key by key, and remembers every mistake so that all are told at once.
struct ArgumentReader {
    private let kind: JobSpecification.Kind
    private var values: [String: JSONValue]
    private(set) var known: Set<String> = []
    /// What each key came to, given or not.
    private(set) var settled: [String: String] = [:]
    private var mistakes: [String] = []

    init(_ values: [String: JSONValue], kind: JobSpecification.Kind) {
        self.kind = kind
        self.values = values
    }

    init(_ arguments: JSONValue, kind: JobSpecification.Kind) throws(RunFailure) {
        switch arguments {
        case .object(let object): self.init(object, kind: kind)
        case .null: self.init([:], kind: kind)
        default:
            throw .badInput(
                "the arguments of a \(kind.rawValue) job are \(arguments.found); wanted an object such as {\"model\": \"flowers\"}"
            )
        }
    }

    mutating func integer(_ key: String, into target: inout Int) {
        defer { settle(key, target) }
        guard let value = take(key) else { return }
        if case .number(let number) = value, let integer = Int(exactly: number) {
            target = integer
        } else {
            wrong(key, value, wanted: "a whole number")
        }
    }

    mutating func integer(_ key: String, into target: inout Int?) {
        var integer = Int.min
        self.integer(key, into: &integer)
        if integer != .min { target = integer }
        settle(key, target)
    }

    mutating func number(_ key: String, into target: inout Double) {
        defer { settle(key, target) }
        guard let value = take(key) else { return }
        if case .number(let number) = value { target = number } else { wrong(key, value, wanted: "a number") }
    }

    mutating func number(_ key: String, into target: inout Double?) {
        var number = Double.nan
        self.number(key, into: &number)
        if !number.isNaN { target = number }
        settle(key, target)
    }

    mutating func flag(_ key: String, into target: inout Bool) {
        defer { settle(key, target) }
        guard let value = take(key) else { return }
        if case .bool(let bool) = value { target = bool } else { wrong(key, value, wanted: "true or false") }
    }

    mutating func flag(_ key: String, into target: inout Bool?) {
        var flag = target ?? false
        let isGiven = values[key].map { $0 != .null } ?? false
        self.flag(key, into: &flag)
        if isGiven { target = flag }
        settle(key, target)
    }

    mutating func choice<Value: RawRepresentable & CaseIterable>(
        _ key: String, into target: inout Value
    ) where Value.RawValue == String {
        var choice: Value? = target
        self.choice(key, into: &choice)
        if let choice { target = choice }
    }

    mutating func choice<Value: RawRepresentable & CaseIterable>(
        _ key: String, into target: inout Value?
    ) where Value.RawValue == String {
        defer { settle(key, target?.rawValue) }
        guard let value = take(key) else { return }
        guard case .string(let text) = value, let choice = Value(rawValue: text) else {
            return wrong(key, value, wanted: Self.words(of: Value.self))
        }
        target = choice
    }

    private static func words<Value: RawRepresentable & CaseIterable>(
        of type: Value.Type
    ) -> String where Value.RawValue == String {
        "one of \(Value.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))"
    }

    /// A name under a configured root: letters, digits, `.`, `_` and `-`, so that it can never leave the root.
    mutating func name(_ name: NameKey) -> String? {
        let key = name.rawValue
        guard let value = take(key) else { return nil }
        guard case .string(let text) = value, Self.isName(text) else {
            wrong(
                key, value,
                wanted:
                    "a name of at most 128 letters, digits, '.', '_' and '-' that begins with a letter or a digit (never a path)"
            )
            return nil
        }
        return text
    }

    /// A name that must be there.
    mutating func requiredName(_ name: NameKey, for purpose: String) -> String {
        let key = name.rawValue
        if values[key] == nil || values[key] == .null {
            known.insert(key)
            mistakes.append("\"\(key)\" is missing; wanted the name of \(purpose)")
            return ""
        }
        return self.name(name) ?? ""
    }

    /// A key that is known but may not be given here, whatever its value.
    mutating func refuse(_ key: String, _ mistake: String) {
        known.insert(key)
        if values[key] != nil { mistakes.append(mistake) }
    }

    mutating func add(mistakes more: [String]) {
        mistakes.append(contentsOf: more)
    }

    /// Throws when there was any mistake, unknown keys among them.
    func finish() throws(RunFailure) {
        let mistakes = allMistakes
        if mistakes.isEmpty { return }
        throw .badInput("\(kind.rawValue) job: " + mistakes.joined(separator: "; "))
    }

    /// A sentence for each mistake in what was read, and for each key that nothing asked for.
    var allMistakes: [String] {
        mistakes
            + values.keys.filter { !known.contains($0) }.sorted().map { key in
                "unknown key \"\(key.prefix(80))\"; a \(kind.rawValue) job knows \(known.sorted().joined(separator: ", "))"
            }
    }

    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 128 else { return false }
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        }
        return isAlphanumeric(first) && text.utf8.allSatisfy { isAlphanumeric($0) || $0 == 46 || $0 == 95 || $0 == 45 }
    }

    private mutating func settle<Value>(_ key: String, _ value: Value?) {
        settled[key] = value.map { "\($0)" } ?? "none"
    }

    private mutating func take(_ key: String) -> JSONValue? {
        known.insert(key)
        guard let value = values[key], value != .null else { return nil }
        return value
    }

    private mutating func wrong(_ key: String, _ value: JSONValue, wanted: String) {
        mistakes.append("\"\(key)\" is \(value.found); wanted \(wanted)")
    }
}
