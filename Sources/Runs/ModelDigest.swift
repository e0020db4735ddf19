import Foundation
import Images

/// Which file lies under a model's name: the SHA-256 of its bytes.
public enum ModelDigest {
    /// Nil when there is no file. Throws when it can't be read.
    public static func of(_ path: String) throws -> String? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        return bytes.withUnsafeBytes { SHA256Digest(of: $0).description }
    }
}
