import Foundation

/// A program of the system that a test uses.
public enum Tool {
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    /// Runs a line of shell in `folder` and waits for its end.
    public static func shell(_ line: String, in folder: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["-euo", "pipefail", "-c", line]
        process.currentDirectoryURL = URL(filePath: folder)
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "'\(line)' ended with \(process.terminationStatus)")
        }
    }
}
