import Foundation

/// A folder that goes when the test ends.
enum TemporaryFolder {
    static func use<Result>(_ body: (String) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.path + "/checkpoints-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try body(folder)
    }

    /// A folder that stays where the environment variable names one.
    static func use(orKept variable: String, _ body: (String) throws -> Void) throws {
        guard let folder = ProcessInfo.processInfo.environment[variable] else { return try use(body) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try body(folder)
    }
}
