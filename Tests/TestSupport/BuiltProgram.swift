import Foundation

/// The program `shufflenetd` that was built together with the tests.
public enum BuiltProgram {
    public static let path: String = {
        let bundle = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
        let path = bundle.appending(path: "shufflenetd").path
        precondition(FileManager.default.fileExists(atPath: path), "there is no program '\(path)'")
        return path
    }()
}
