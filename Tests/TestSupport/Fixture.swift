import Foundation

/// Files that tests read, copied beside the test binary by the package manager.
public enum Fixture {
    /// The folder that holds `Tests/TestSupport/Fixtures` at run time.
    public static let root: String = {
        guard let resources = Bundle.module.resourcePath else {
            preconditionFailure("the test bundle has no resources: \(Bundle.module.bundlePath)")
        }
        return resources + "/Fixtures"
    }()

    /// The absolute path of a fixture, for instance `Fixture.path("golden/g3_0.5x/initial.ckpt")`.
    ///
    /// Traps with the path when there is no such file or folder: a test that misses its fixture must not pass.
    public static func path(_ relative: String) -> String {
        let path = root + "/" + relative
        precondition(FileManager.default.fileExists(atPath: path), "there is no fixture '\(path)'")
        return path
    }

    /// The bytes of a fixture.
    public static func bytes(_ relative: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: URL(fileURLWithPath: path(relative))))
    }
}
