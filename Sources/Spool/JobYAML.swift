internal import Foundation
package import Yams

/// `job.yaml`: a small YAML mapping, turned into the text of one JSON object. Which keys make sense is not judged here.
///
/// Taken are mappings, lists, strings, numbers, `true`, `false` and `null` as YAML 1.2's core schema reads them (so
/// `no` is a string); tags are not looked at. Refused, with the line: anchors and aliases (a few lines of them can stand for
/// gigabytes), duplicate keys, more than one document, anything but a mapping at the top.
package enum JobYAML {
    /// Deeper nesting than any job needs, and far less than the stack holds.
    static let maximumDepth = 32

    /// What is wrong, and where, as a sentence.
    package struct Mistake: Error, CustomStringConvertible {
        package let description: String
    }

    /// The JSON text.
    static func json(from bytes: [UInt8]) throws(Mistake) -> String {
        // What some editors put before UTF-8, which the parser takes for the first key's beginning.
        let mark = Array("\u{FEFF}".utf8)
        let bytes = bytes.starts(with: mark) ? Array(bytes.dropFirst(mark.count)) : bytes
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Mistake(description: "it is not UTF-8 text")
        }
        try refuseAliases(bytes)
        let root: Node?
        do {
            root = try Parser(yaml: text, encoding: .utf8).singleRoot()
        } catch {
            throw Mistake(description: sentence(for: error))
        }
        // An empty file has no document, a file of comments an empty one.
        guard let root else { return "{}" }
        if case .scalar(let scalar) = root, scalar.style == .plain, scalar.string.isEmpty { return "{}" }
        guard case .mapping = root else {
            throw Mistake(description: "\(place(root))it holds a \(noun(root)), not a mapping")
        }
        return try json(root)
    }

    /// Before the parser sees the text, since it expands aliases while it reads. An anchor or alias is `&` or `*`, a
    /// name, and can only follow white space, an indicator or a line break; quotes are not looked at, since a
    /// wrongly guessed quote would hide an alias.
    private static func refuseAliases(_ bytes: [UInt8]) throws(Mistake) {
        var line = 1
        for (index, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "\n") { line += 1 }
            guard byte == UInt8(ascii: "&") || byte == UInt8(ascii: "*"), index + 1 < bytes.count else { continue }
            let next = bytes[index + 1]
            guard isWord(next) || next == UInt8(ascii: "-") else { continue }
            if index > 0, isWord(bytes[index - 1]) || Array("\"'./".utf8).contains(bytes[index - 1]) { continue }
            let sort = byte == UInt8(ascii: "&") ? "an anchor" : "an alias"
            throw Mistake(
                description:
                    "line \(line) has \(sort) ('\(Character(Unicode.Scalar(byte)))'), which is not taken")
        }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 95
    }

    /// The JSON text of a part of any YAML file.
    package static func json(_ node: Node, depth: Int = 0) throws(Mistake) -> String {
        if depth > maximumDepth {
            throw Mistake(description: "\(place(node))it is nested more than \(maximumDepth) levels deep")
        }
        switch node {
        case .scalar(let scalar): return try json(scalar, at: node)
        case .sequence(let sequence):
            var parts: [String] = []
            for element in sequence { parts.append(try json(element, depth: depth + 1)) }
            return "[\(parts.joined(separator: ","))]"
        case .mapping(let mapping):
            var parts: [String] = []
            var keys: Set<String> = []
            for (key, value) in mapping {
                guard case .scalar(let name) = key else {
                    throw Mistake(description: "\(place(key))a \(noun(key)) stands where a key is wanted")
                }
                // Yams compares keys with their tags; two spellings of one text are one key in JSON.
                if !keys.insert(name.string).inserted {
                    throw Mistake(description: "\(place(key))the key '\(name.string)' stands there a second time")
                }
                parts.append("\(try quoted(name.string, at: key)):\(try json(value, depth: depth + 1))")
            }
            return "{\(parts.joined(separator: ","))}"
        case .alias:
            throw Mistake(description: "\(place(node))it has an alias, which is not taken")
        }
    }

    private static func json(_ scalar: Node.Scalar, at node: Node) throws(Mistake) -> String {
        let text = scalar.string
        guard scalar.style == .plain else { return try quoted(text, at: node) }
        switch text {
        case "", "~", "null", "Null", "NULL": return "null"
        case "true", "True", "TRUE": return "true"
        case "false", "False", "FALSE": return "false"
        default: break
        }
        if text.wholeMatch(of: /[-+]?[0-9]+/) != nil {
            guard let number = Int64(text) else {
                throw Mistake(description: "\(place(node))the number \(text) is too large")
            }
            return String(number)
        }
        if text.wholeMatch(of: /[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?/) != nil {
            guard let number = Double(text.hasSuffix(".") ? text + "0" : text), number.isFinite else {
                throw Mistake(description: "\(place(node))the number \(text) is too large")
            }
            return "\(number)"
        }
        if text.wholeMatch(of: /[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)/) != nil {
            throw Mistake(description: "\(place(node))'\(text)' is no number a job can use")
        }
        return try quoted(text, at: node)
    }

    private static func quoted(_ text: String, at node: Node) throws(Mistake) -> String {
        // PostgreSQL's jsonb has no place for it.
        if text.unicodeScalars.contains("\0") {
            throw Mistake(description: "\(place(node))a text contains a NUL character")
        }
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default:
                if scalar.value < 0x20 {
                    let digits = String(scalar.value, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }

    private static func noun(_ node: Node) -> String {
        switch node {
        case .scalar: "single value"
        case .sequence: "list"
        case .mapping: "mapping"
        case .alias: "alias"
        }
    }

    private static func place(_ node: Node) -> String {
        node.mark.map { "line \($0.line): " } ?? ""
    }

    private static func sentence(for error: any Error) -> String {
        guard let error = error as? YamlError else { return "\(error)" }
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return "line \(mark.line), column \(mark.column): \(problem)"
        case .duplicatedKeysInMapping(let duplicates, let context):
            let names = duplicates.map { "'\($0)'" }.joined(separator: ", ")
            return "line \(context.mark.line): the key \(names) stands there a second time"
        case .reader(let problem, _, _, _): return problem
        default: return "\(error)"
        }
    }
}
