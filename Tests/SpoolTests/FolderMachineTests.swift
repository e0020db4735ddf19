import Testing

@testable import Spool

/// Each test tells a sequence; the clock is a number of seconds.
@Suite struct FolderMachineTests {
    let start = ContinuousClock.now

    func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

    func machine(quiet: Duration? = .seconds(30)) -> FolderMachine {
        FolderMachine(patience: .init(quiet: quiet, settle: .seconds(1)), seenAt: start)
    }

    func survey(_ fingerprint: Int, files: Int = 3, ready: Int64? = nil, manifest: Int64? = nil) -> FolderSurvey {
        var survey = FolderSurvey()
        survey.fingerprint = fingerprint
        survey.files = files
        survey.newestData = 100
        survey.readyChanged = ready
        survey.manifestChanged = manifest
        return survey
    }

    @Test func `two equal surveys a quiet period apart complete a folder`() {
        var machine = machine()
        #expect(machine.handle(.surveyed(survey(1)), at: at(0)) == .wait(until: at(30)))
        #expect(machine.handle(.rescan, at: at(29)) == .survey)
        #expect(machine.handle(.surveyed(survey(1)), at: at(29)) == .wait(until: at(30)))
        #expect(machine.handle(.surveyed(survey(1)), at: at(30)) == .accept(.quiet))
    }

    @Test func `a folder that grows without hints is never taken, and rests anew after every change`() {
        var machine = machine()
        for step in 0..<100 {
            let now = Double(step) * 29
            #expect(machine.handle(.surveyed(survey(step)), at: at(now)) == .wait(until: at(now + 30)))
        }
        #expect(machine.handle(.surveyed(survey(99)), at: at(99 * 29 + 30)) == .accept(.quiet))
    }

    @Test func `a hint restarts the rest, and the change it announced does not restart it twice`() {
        var machine = machine()
        _ = machine.handle(.surveyed(survey(1)), at: at(0))
        #expect(machine.handle(.touched, at: at(20)) == .wait(until: at(21)))
        #expect(machine.handle(.surveyed(survey(2)), at: at(21)) == .wait(until: at(50)))
        #expect(machine.handle(.surveyed(survey(2)), at: at(50)) == .accept(.quiet))
    }

    @Test func `a rename from tmp completes at once`() {
        var machine = machine(quiet: nil)
        #expect(machine.handle(.renamedIn, at: at(0)) == .accept(.renamed))
    }

    @Test func `a ready file that came last completes after the settling time`() {
        var machine = machine(quiet: nil)
        #expect(machine.handle(.surveyed(survey(1, ready: 100)), at: at(0)) == .wait(until: at(1)))
        #expect(machine.handle(.surveyed(survey(1, ready: 100)), at: at(1)) == .accept(.ready))
    }

    @Test func `a ready file that other files followed does not count`() {
        var machine = machine()
        _ = machine.handle(.surveyed(survey(1, ready: 99)), at: at(0))
        #expect(machine.handle(.surveyed(survey(1, ready: 99)), at: at(10)) == .wait(until: at(30)))
        #expect(machine.handle(.surveyed(survey(1, ready: 99)), at: at(30)) == .accept(.quiet))
    }

    @Test func `a ready file alone is the beginning of a copy, not its end`() {
        var machine = machine()
        _ = machine.handle(.surveyed(survey(1, files: 0, ready: 100)), at: at(0))
        #expect(machine.handle(.surveyed(survey(1, files: 0, ready: 100)), at: at(5)) == .wait(until: at(60)))
    }

    @Test func `an empty folder gets twice the time`() {
        var machine = machine()
        _ = machine.handle(.surveyed(survey(1, files: 0)), at: at(0))
        #expect(machine.handle(.surveyed(survey(1, files: 0)), at: at(59)) == .wait(until: at(60)))
        #expect(machine.handle(.surveyed(survey(1, files: 0)), at: at(60)) == .accept(.quiet))
    }

    @Test func `with the guess turned off nothing is taken without a sign`() {
        var machine = machine(quiet: nil)
        #expect(machine.handle(.surveyed(survey(1)), at: at(0)) == .wait(until: nil))
        #expect(machine.handle(.surveyed(survey(1)), at: at(1e6)) == .wait(until: nil))
    }

    @Test func `a manifest that came last is verified once for each state of the folder`() {
        var machine = machine()
        _ = machine.handle(.surveyed(survey(1, manifest: 100)), at: at(0))
        #expect(machine.handle(.surveyed(survey(1, manifest: 100)), at: at(1)) == .verifyManifest)
        #expect(machine.handle(.manifestVerified(false), at: at(2)) == .wait(until: at(30)))
        #expect(machine.handle(.surveyed(survey(1, manifest: 100)), at: at(3)) == .wait(until: at(30)))
        _ = machine.handle(.surveyed(survey(2, manifest: 100)), at: at(4))
        #expect(machine.handle(.surveyed(survey(2, manifest: 100)), at: at(5)) == .verifyManifest)
        #expect(machine.handle(.manifestVerified(true), at: at(6)) == .accept(.manifest))
    }

    @Test func `a postponed folder is tried again at its time, not before`() {
        var machine = machine()
        _ = machine.handle(.renamedIn, at: at(0))
        #expect(machine.handle(.postponed(until: at(30)), at: at(0)) == .wait(until: at(30)))
        #expect(machine.handle(.touched, at: at(5)) == .wait(until: at(30)))
        #expect(machine.handle(.rescan, at: at(30)) == .accept(.renamed))
    }

    @Test func `the manifest of a folder that is refused anyway is not read`() {
        var machine = machine(quiet: nil)
        var refused = survey(1, manifest: 100)
        refused.refusal = .tooLarge(10)
        #expect(machine.handle(.surveyed(refused), at: at(0)) == .wait(until: at(1)))
        #expect(machine.handle(.surveyed(refused), at: at(1)) == .accept(.manifest))
    }
}
