import Foundation
import Logging
import Testing

@testable import Spool

/// Times are only bound from below.
@Suite(.timeLimit(.minutes(5))) struct SpoolIntakeTests: IntakeSuite {
    let scratch = ScratchFolder()
    let registrar: RecordingRegistrar
    let store: SpoolStore

    init() throws {
        registrar = RecordingRegistrar()
        store = try SpoolStore(root: "\(scratch.path)/spool")
    }

    @Test(arguments: [true, false])
    func `a folder renamed in from tmp is taken at once, with watches and without`(watches: Bool) async throws {
        var configuration = Self.patient(quiet: nil)
        configuration.watchesFileSystem = watches
        try scratch.fill("spool/tmp/flowers", ["a/1.jpg": "1", "job.yaml": "epochs: 2"])
        // Something that was taken proves that the first look is over and has seen tmp/.
        try scratch.fill("spool/incoming/classify/first", ["x": "1"])
        try scratch.write("spool/incoming/classify/first/.ready", "")
        try await withIntake(configuration) { registrar in
            await registrar.wait { $0.placed.count == 1 }
            try scratch.move("spool/tmp/flowers", to: "spool/incoming/train/flowers")
            await registrar.wait { $0.placed.count == 2 }
        }
        let folder = try #require(registrar.accepted.last)
        #expect(folder.kind == .train && folder.name == "flowers" && folder.sign == .renamed)
        #expect(folder.arguments == #"{"epochs":2}"#)
        #expect(folder.files == 1)
        #expect(scratch.list("spool/processing/flowers.2") == ["a", "job.yaml"])
    }

    @Test func `a folder renamed in from elsewhere or in place waits for the quiet period`() async throws {
        try scratch.fill("elsewhere", ["1.jpg": "1"])
        try scratch.fill("spool/incoming/classify/New Folder", ["1.jpg": "1"])
        try await withIntake(Self.patient()) { registrar in
            try scratch.move("elsewhere", to: "spool/incoming/classify/moved")
            try scratch.move("spool/incoming/classify/New Folder", to: "spool/incoming/classify/named")
            await registrar.wait { $0.placed.count == 2 }
        }
        #expect(registrar.accepted.allSatisfy { $0.sign == .quiet })
    }

    @Test(arguments: [true, false])
    func `a growing copy is not taken before it ends, with watches and without`(watches: Bool) async throws {
        let clock = ContinuousClock()
        // Longer than a disk of a shared machine stalls.
        let quiet = Duration.seconds(3)
        var configuration = Self.patient(quiet: quiet)
        configuration.watchesFileSystem = watches
        try await withIntake(configuration) { registrar in
            var lastWrite = clock.now
            for number in 0..<12 {
                try scratch.write("spool/incoming/classify/batch/deep/\(number % 3)/\(number).jpg", "\(number)")
                lastWrite = clock.now
                // A slow copy: the pause is the thing under test, nothing is awaited by it.
                try await clock.sleep(for: .milliseconds(100))
                #expect(registrar.accepted.isEmpty)
            }
            await registrar.wait { $0.placed.count == 1 }
            #expect(clock.now - lastWrite >= quiet)
        }
        #expect(registrar.accepted.first?.files == 12)
    }

    @Test func `thousands of files in nested folders are one drop, whole`() async throws {
        try await withIntake(Self.patient(quiet: .seconds(2))) { registrar in
            for number in 0..<4000 {
                let folder = "\(number % 10)/\(number / 10 % 10)/\(number % 7)"
                try scratch.write("spool/incoming/classify/batch/\(folder)/\(number).jpg", "1")
            }
            await registrar.wait { $0.placed.count == 1 }
        }
        #expect(registrar.accepted.map(\.files) == [4000])
    }

    @Test(arguments: [true, false])
    func `a folder that its owner takes back before it is complete is forgotten`(watches: Bool) async throws {
        var configuration = Self.patient()
        configuration.watchesFileSystem = watches
        try await withIntake(configuration) { registrar in
            try scratch.fill("spool/incoming/classify/mistake", ["1.jpg": "1"])
            try scratch.move("spool/incoming/classify/mistake", to: "mistake")
            try scratch.fill("spool/incoming/classify/meant", ["1.jpg": "1"])
            await registrar.wait { $0.placed.count == 1 }
        }
        #expect(registrar.accepted.map(\.name) == ["meant"])
        #expect(scratch.exists("mistake/1.jpg"))
    }

    @Test func `a manifest that comes last completes`() async throws {
        try await withIntake(Self.patient(quiet: nil)) { registrar in
            try scratch.fill("spool/incoming/classify/m", ["a": "1", "b": "22"])
            let lines = "\(FolderInspectionTests.digest("1"))  a\n\(FolderInspectionTests.digest("22"))  b\n"
            try scratch.write("spool/incoming/classify/m/manifest.sha256", lines)
            await registrar.wait { $0.placed.count == 1 }
        }
        #expect(registrar.accepted.first?.sign == .manifest)
    }

    /// Terabytes of holes: whoever read them would be at it for hours, and nobody else's drop would be taken.
    @Test func `what is too large is refused before anybody reads it to verify a checksum`() async throws {
        for name in ["m/z.jpg", "a.zip"] {
            try scratch.write("spool/incoming/classify/\(name)", "")
            try #require(truncate("\(scratch.path)/spool/incoming/classify/\(name)", 8 << 40) == 0)
        }
        let digest = String(repeating: "0", count: 64)
        try scratch.write("spool/incoming/classify/m/manifest.sha256", "\(digest)  z.jpg\n")
        try scratch.write("spool/incoming/classify/a.zip.sha256", "\(digest)  a.zip\n")
        try await withIntake(Self.patient(quiet: nil)) { registrar in
            await registrar.wait { state in state.log.filter { $0.hasPrefix("refused") }.count == 2 }
        }
        #expect(registrar.log.filter { $0.contains("larger than 1099511627776 bytes") }.count == 2)
        #expect(scratch.list("spool/incoming/classify") == [])
    }

    @Test func `stray files and hostile folders end in rejected with a reason`() async throws {
        try scratch.write("spool/incoming/classify/photo.jpg", "1")
        try scratch.write("spool/incoming/classify/.hidden", "1")
        try scratch.fill("spool/incoming/classify/linked", ["a.jpg": "1"])
        symlink("/etc/passwd", "\(scratch.path)/spool/incoming/classify/linked/b.jpg")
        symlink("/etc", "\(scratch.path)/spool/incoming/classify/etc")
        try await withIntake(Self.patient()) { registrar in
            await registrar.wait { state in state.log.filter { $0.hasPrefix("refused") }.count == 3 }
        }
        #expect(scratch.list("spool/incoming/classify") == [".hidden"])
        #expect(scratch.list("spool/rejected").count == 3)
        for folder in scratch.list("spool/rejected") {
            #expect(scratch.list("spool/rejected/\(folder)") == ["REASON.json", "input"])
        }
        #expect(registrar.accepted.isEmpty)
    }

    @Test func `a folder that is no kind of job is named in the log, once`() async throws {
        try scratch.fill("spool/incoming/clasify/a", ["1.jpg": "1"])
        try await withIntake(Self.patient()) { registrar in
            await registrar.wait { state in state.log.contains { $0.hasPrefix("'incoming/clasify' is not looked at") } }
            // Something that is taken after a second look.
            try scratch.fill("spool/incoming/classify/b", ["1.jpg": "1"])
            await registrar.wait { $0.placed.count == 1 }
            #expect(registrar.log.filter { $0.contains("clasify'") }.count == 1)
            #expect(registrar.log.contains { $0.contains("incoming/train, incoming/evaluate, incoming/classify") })
        }
        #expect(scratch.exists("spool/incoming/clasify/a/1.jpg"))
    }

    @Test func `two intakes on one spool take each folder once`() async throws {
        let other = SpoolIntake(
            store: store, configuration: Self.patient(), registrar: registrar,
            logger: Logger(label: "other") { _ in RecordingLog(registrar) })
        let otherRun = Task { try await other.run() }
        defer { otherRun.cancel() }
        try await withIntake(Self.patient()) { registrar in
            for number in 0..<40 { try scratch.fill("spool/incoming/classify/d\(number)", ["1.jpg": "1"]) }
            await registrar.wait { $0.placed.count == 40 }
        }
        #expect(registrar.accepted.count == 40)
        #expect(scratch.list("spool/processing").count == 40)
    }

    @Test func `a later drop of the same name is a new job`() async throws {
        try await withIntake(Self.patient(quiet: nil)) { registrar in
            for round in 1...3 {
                try scratch.fill("spool/incoming/classify/same", ["1.jpg": "\(round)"])
                try scratch.write("spool/incoming/classify/same/.ready", "")
                await registrar.wait { $0.placed.count == round }
            }
        }
        #expect(scratch.list("spool/processing") == ["same.1", "same.2", "same.3"])
    }

    @Test func `a name that is not UTF-8 is taken and escaped`() async throws {
        let path: [CChar] = Array("\(scratch.path)/spool/incoming/classify/".utf8CString.dropLast()) + [-1, 10, 0]
        #expect(mkdir(path, 0o755) == 0)
        close(open(Array(path.dropLast()) + Array("/1.jpg".utf8CString), O_CREAT | O_WRONLY, 0o644))
        try await withIntake(Self.patient()) { registrar in
            await registrar.wait { $0.placed.count == 1 }
        }
        #expect(registrar.accepted.first?.name == "%FF%0A")
        #expect(scratch.list("spool/processing") == ["%FF%0A.1"])
    }

    @Test func `an intake that never ran can be let go of`() {
        _ = SpoolIntake(
            store: store, configuration: Self.patient(), registrar: registrar, logger: Logger(label: "intake"))
    }

    @Test func `nothing is taken while space is low`() async throws {
        var configuration = Self.patient(quiet: .zero)
        configuration.minimumFreeBytes = .max
        try scratch.fill("spool/incoming/classify/a", ["1.jpg": "1"])
        try await withIntake(configuration) { registrar in
            await registrar.wait { state in state.log.contains { $0.hasPrefix("low on space") } }
        }
        #expect(registrar.accepted.isEmpty)
        #expect(scratch.list("spool/incoming/classify") == ["a"])
    }

    @Test func `a database that is away only delays a folder`() async throws {
        try scratch.fill("spool/incoming/classify/a", ["1.jpg": "1"])
        try await withIntake(Self.patient(), registrar: RecordingRegistrar(failures: 2)) { registrar in
            await registrar.wait { $0.placed.count == 1 }
            #expect(registrar.accepted.count == 1)
        }
    }

    @Test func `what the registrar refuses is rejected with its words`() async throws {
        try scratch.fill("spool/incoming/classify/a", ["1.jpg": "1"])
        let refusal = Refusal(reason: "bad_input", message: "no model is called 'x'", wanted: "one of: y")
        try await withIntake(Self.patient(), registrar: RecordingRegistrar(refusal: refusal)) { registrar in
            await registrar.wait { state in state.log.contains { $0.contains("no model is called 'x'") } }
        }
        let folder = try #require(scratch.list("spool/rejected").first)
        #expect(scratch.text("spool/rejected/\(folder)/REASON.json")?.contains("one of: y") == true)
    }
}
