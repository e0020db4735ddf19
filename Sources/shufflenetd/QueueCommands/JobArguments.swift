import ArgumentParser
import Foundation
import Runs

/// Makes a job's arguments of what stands on the command line.
enum JobArguments {
    /// - Parameters:
    ///   - json: one JSON object, or nil.
    ///   - pairs: `key=value`, which stand above it; values are JSON where they can be, else texts.
    static func parse(_ json: String?, _ pairs: [String]) throws -> JSONValue {
        var keys: [String: JSONValue] = [:]
        if let json {
            guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(json.utf8)),
                case .object(let object) = value
            else {
                throw ValidationError("--args is '\(json)', wanted a JSON object such as {\"dataset\": \"flowers\"}")
            }
            keys = object
        }
        for pair in pairs {
            guard let equals = pair.firstIndex(of: "="), equals != pair.startIndex else {
                throw ValidationError("'\(pair)' is no argument, wanted key=value, for instance epochs=5")
            }
            let text = String(pair[pair.index(after: equals)...])
            let value = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
            keys[String(pair[..<equals])] = value ?? .string(text)
        }
        return .object(keys)
    }
}
