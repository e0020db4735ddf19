import Foundation
import KernelSets

extension InstructionSet {
    /// Those that the tests of whole networks run on: what the program itself would take, and all that this CPU has where
    /// `SHUFFLENETD_TEST_SETS` is `all`, as in CI. Beside the tests of everything else, all of them take too long.
    static let underTest =
        ProcessInfo.processInfo.environment["SHUFFLENETD_TEST_SETS"] == "all" ? supported : [current]
}
