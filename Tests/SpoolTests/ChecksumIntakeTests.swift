import Glibc
import Logging
import ServiceLifecycle
import TestSupport
import Testing

@testable import Spool

/// Checksums are verified beside the intake. The first verification is held behind its reading, before anybody hears of
/// what it found, until a test opens the gate.
@Suite(.timeLimit(.minutes(5))) struct ChecksumIntakeTests: IntakeSuite {
    let scratch = ScratchFolder()
    let registrar = RecordingRegistrar()
    let store: SpoolStore
    let gate = Gate(holding: 1)

    static let verified = "all was read"

    init() throws {
        var folders = try SpoolFolders(layout: SpoolLayout(root: "\(scratch.path)/spool"))
        folders.afterStep = { [registrar, gate] step in
            guard step == .verifyChecksums else { return }
            registrar.note(Self.verified)
            try gate.pass()
        }
        store = SpoolStore(folders: folders)
    }

    /// Returns after so many verifications, or as soon as something was taken too early.
    func waitForVerifications(_ count: Int) async {
        await registrar.wait { state in
            !state.accepted.isEmpty || state.log.filter { $0 == Self.verified }.count >= count
        }
    }

    func list(_ folder: String, _ files: [String: String]) throws {
        let lines = files.sorted { $0.key < $1.key }.map { "\(FolderInspectionTests.digest($0.value))  \($0.key)\n" }
        try scratch.write("\(folder)/manifest.sha256", lines.joined())
    }

    func fillAndList(_ folder: String, _ files: [String: String]) throws {
        try scratch.fill(folder, files)
        try list(folder, files)
    }

    @Test func `while one drop is verified others are taken: plain ones, archives, such with checksums of their own`()
        async throws
    {
        try await withIntake(ArchiveIntakeTests.configuration(quiet: nil)) { registrar in
            try fillAndList("spool/incoming/classify/large", ["1.jpg": "1"])
            await waitForVerifications(1)
            try scratch.fill("spool/incoming/classify/plain", ["1.jpg": "1"])
            try scratch.write("spool/incoming/classify/plain/.ready", "")
            try fillAndList("spool/incoming/classify/small", ["1.jpg": "1"])
            try Tool.shell(
                "tar cf a.tar plain/1.jpg && sha256sum a.tar > a.tar.sha256",
                in: "\(scratch.path)/spool/incoming/classify")
            await registrar.wait { $0.placed.count == 3 }
            #expect(Set(registrar.accepted.map(\.name)) == ["a.tar", "plain", "small"])
            gate.open()
            await registrar.wait { $0.placed.count == 4 }
        }
        #expect(!gate.wasStuck)
        #expect(registrar.accepted.last?.name == "large" && registrar.accepted.last?.sign == .manifest)
        #expect(scratch.list("spool/incoming/classify") == [])
    }

    @Test(arguments: [true, false])
    func `a file that changes while its drop is verified voids what was read, with watches and without`(watches: Bool)
        async throws
    {
        var configuration = Self.patient(quiet: nil)
        configuration.watchesFileSystem = watches
        let folder = "spool/incoming/classify/m"
        try fillAndList(folder, ["1.jpg": "1", "2.jpg": "1"])
        try await withIntake(configuration) { registrar in
            await waitForVerifications(1)
            try scratch.write("\(folder)/1.jpg", "2")
            // Last again, and still about the file as it was read.
            try list(folder, ["1.jpg": "1", "2.jpg": "1"])
            gate.open()
            await waitForVerifications(2)
            #expect(registrar.accepted.isEmpty)
            try list(folder, ["1.jpg": "2", "2.jpg": "1"])
            await registrar.wait { $0.placed.count == 1 }
        }
        #expect(registrar.accepted.count == 1 && !gate.wasStuck)
        #expect(
            scratch.text("spool/processing/m.1/manifest.sha256")?.hasPrefix(FolderInspectionTests.digest("2")) == true)
    }

    @Test func `a folder from tmp that changes while it is verified is refused`() async throws {
        try fillAndList("spool/tmp/m", ["1.jpg": "1"])
        // Something that was taken proves that the first look is over and has seen tmp/.
        try scratch.fill("spool/incoming/classify/first", ["x": "1"])
        try scratch.write("spool/incoming/classify/first/.ready", "")
        try await withIntake(Self.patient(quiet: nil)) { registrar in
            await registrar.wait { $0.placed.count == 1 }
            try scratch.move("spool/tmp/m", to: "spool/incoming/classify/m")
            await registrar.wait { $0.log.contains(Self.verified) }
            try scratch.write("spool/incoming/classify/m/1.jpg", "2")
            gate.open()
            await registrar.wait { state in
                state.accepted.count > 1 || state.log.contains { $0.contains("'1.jpg' has another SHA-256") }
            }
        }
        #expect(registrar.accepted.map(\.name) == ["first"] && !gate.wasStuck)
        #expect(scratch.list("spool/rejected").count == 1)
    }

    @Test func `an archive that changes while it is verified is refused`() async throws {
        let incoming = "\(scratch.path)/spool/incoming/classify"
        try scratch.fill("photos", ["1.jpg": "1"])
        try Tool.shell(
            "tar cf '\(incoming)/a.tar' photos && cd '\(incoming)' && sha256sum a.tar > a.tar.sha256", in: scratch.path)
        try await withIntake(ArchiveIntakeTests.configuration()) { registrar in
            await waitForVerifications(1)
            try scratch.write("photos/1.jpg", "2")
            try Tool.shell("tar cf '\(incoming)/a.tar' photos", in: scratch.path)
            gate.open()
            await registrar.wait { state in
                !state.accepted.isEmpty || state.log.contains { $0.contains("it lists another SHA-256") }
            }
        }
        #expect(registrar.accepted.isEmpty && !gate.wasStuck)
        #expect(scratch.list("spool/rejected").count == 1)
    }

    @Test func `a drop that has to wait for the database is not read again`() async throws {
        gate.open()
        try fillAndList("spool/incoming/classify/m", ["1.jpg": "1"])
        try await withIntake(Self.patient(quiet: nil), registrar: RecordingRegistrar(failures: 2)) { registrar in
            await registrar.wait { $0.placed.count == 1 }
        }
        #expect(registrar.log.filter { $0 == Self.verified }.count == 1)
    }

    /// A terabyte of holes, which nobody has read before the time limit.
    @Test(arguments: [true, false])
    func `a verification is given up when the daemon stops, and the drop is taken after the next start`(isAsked: Bool)
        async throws
    {
        let folder = "spool/incoming/classify/m"
        try scratch.write("\(folder)/1.jpg", "")
        try #require(truncate("\(scratch.path)/\(folder)/1.jpg", 1 << 40) == 0)
        try list(folder, ["1.jpg": "1"])
        let survey = try FolderSurvey.take(of: FolderHandle(path: "\(scratch.path)/\(folder)"), limits: FolderLimits())
        let state = IntakePlan.State(
            key: IntakePlan.Key(kind: .classify, name: EntryName("m")), fingerprint: survey.fingerprint)
        let logger = Logger(label: "intake") { [registrar] _ in RecordingLog(registrar) }
        let intake = SpoolIntake(
            store: store, configuration: Self.patient(quiet: nil), registrar: registrar, logger: logger)
        let group = ServiceGroup(services: [intake], logger: logger)
        let run = Task { try await group.run() }
        await registrar.wait { state in state.log.contains { $0.hasPrefix("verifying checksums") } }
        #expect(await intake.isVerifying(state))
        if isAsked { await group.triggerGracefulShutdown() } else { run.cancel() }
        _ = await run.result
        #expect(await !intake.isVerifying(state))
        #expect(!registrar.log.contains(Self.verified) && registrar.accepted.isEmpty)
        #expect(scratch.list("spool/incoming/classify") == ["m"])

        gate.open()
        try fillAndList(folder, ["1.jpg": "1"])
        try await withIntake(Self.patient(quiet: nil)) { registrar in await registrar.wait { $0.placed.count == 1 } }
        #expect(registrar.accepted.map(\.sign) == [.manifest])
    }
}

extension SpoolIntake {
    fileprivate func isVerifying(_ state: IntakePlan.State) -> Bool { verifying.includes(state) }
}
