import Glibc
import Runs
import Support
import Testing

@testable import Daemon

@Suite struct AttemptReasonTests {
    @Test(
        "an attempt that could not be started for want of room, also in a quota, failed for a full disk",
        arguments: [(ENOSPC, RunFailure.Reason.diskFull), (EDQUOT, .diskFull), (EACCES, .error), (EIO, .error)])
    func reason(code: Int32, wanted: RunFailure.Reason) {
        #expect(AttemptRunner.reason(of: SystemError("mkdir", on: "work", code: code)) == wanted)
        #expect(AttemptRunner.reason(of: CancellationError()) == .error)
    }
}
