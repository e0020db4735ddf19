import Foundation
import Glibc
import TestSupport
import Testing

@testable import Spool

/// Archives through the whole intake, with the real helper process.
@Suite(.timeLimit(.minutes(5))) struct ArchiveIntakeTests: IntakeSuite {
    let scratch = ScratchFolder()
    let registrar = RecordingRegistrar()
    let store: SpoolStore

    init() throws {
        store = try SpoolStore(root: "\(scratch.path)/spool")
    }

    static func configuration(quiet: Duration? = .milliseconds(300)) -> SpoolConfiguration {
        var configuration = patient(quiet: quiet)
        configuration.unpacking.program = BuiltProgram.path
        return configuration
    }

    func put(_ bytes: [UInt8], at name: String) {
        #expect(FileManager.default.createFile(atPath: "\(scratch.path)/\(name)", contents: Data(bytes)))
    }

    @Test(arguments: ["photos.zip", "photos.tar", "photos.tar.gz", "Photos.TGZ"])
    func `an archive is taken as the folder it holds, and kept beside it`(name: String) async throws {
        try scratch.fill("photos", ["a/1.jpg": "1", "b/2.jpg": "22", "job.yaml": "epochs: 2"])
        let command =
            switch name {
            case "photos.zip": "zip -qr made photos && mv made.zip"
            case "photos.tar": "tar cf made photos && mv made"
            default: "tar czf made photos && mv made"
            }
        try Tool.shell("\(command) spool/tmp/\(name)", in: scratch.path)
        try await withIntake(Self.configuration()) { registrar in
            try scratch.move("spool/tmp/\(name)", to: "spool/incoming/train/\(name)")
            await registrar.wait { $0.placed.count == 1 }
        }
        let folder = try #require(registrar.accepted.first)
        #expect(folder.name == name && folder.arguments == #"{"epochs":2}"#)
        #expect(folder.files == 2 && folder.bytes == 3)
        #expect(scratch.list("spool/processing/\(name).1") == [".dropped", "a", "b", "job.yaml"])
        #expect(scratch.list("spool/processing/\(name).1/.dropped") == [name])
        #expect(scratch.text("spool/processing/\(name).1/b/2.jpg") == "22")
        #expect(scratch.list("spool/incoming/train").isEmpty && scratch.list("spool/.work").isEmpty)
    }

    @Test func `an archive without a folder at its top is the folder, and a Macintosh's shadows are left out`()
        async throws
    {
        var tar = TarDraft()
        tar.add("./", .folder)
        tar.add("./a/1.jpg", content: "1")
        tar.add("./b/2.jpg", content: "2")
        tar.add("__MACOSX/a/._1.jpg", content: "shadow")
        put(tar.ended, at: "spool/incoming/classify/both.tar")
        try await withIntake(Self.configuration()) { registrar in await registrar.wait { $0.placed.count == 1 } }
        #expect(scratch.list("spool/processing/both.tar.1") == [".dropped", "a", "b"])
        #expect(registrar.accepted.first?.sign == .quiet)
    }

    @Test(arguments: [".ready", ".sha256"])
    func `the signs beside an archive complete it and go with it`(ending: String) async throws {
        try scratch.fill("photos", ["1.jpg": "1"])
        try Tool.shell("tar cf photos.tar photos && sha256sum photos.tar > photos.tar.sha256", in: scratch.path)
        try await withIntake(Self.configuration(quiet: nil)) { registrar in
            try Tool.shell("cp photos.tar spool/incoming/classify/", in: scratch.path)
            let sign = ending == ".ready" ? ": >" : "cp photos.tar.sha256"
            try Tool.shell("\(sign) spool/incoming/classify/photos.tar\(ending)", in: scratch.path)
            await registrar.wait { $0.placed.count == 1 }
        }
        #expect(registrar.accepted.first?.sign == (ending == ".ready" ? .ready : .manifest))
        #expect(scratch.list("spool/processing/photos.tar.1/.dropped") == ["photos.tar", "photos.tar\(ending)"])
        #expect(scratch.list("spool/incoming/classify").isEmpty)
    }

    @Test func `a growing archive is not taken before it ends`() async throws {
        try scratch.fill("photos", ["1.jpg": String(repeating: "1", count: 5000)])
        try Tool.shell("tar cf photos.tar photos", in: scratch.path)
        let bytes = Array(try #require(FileManager.default.contents(atPath: "\(scratch.path)/photos.tar")))
        try await withIntake(Self.configuration(quiet: .seconds(3))) { registrar in
            let target = "\(scratch.path)/spool/incoming/classify/photos.tar"
            for piece in 0..<10 {
                // Opened and closed for each piece, as some network clients do.
                let file = open(target, O_WRONLY | O_CREAT | O_APPEND, 0o644)
                let range = (bytes.count * piece / 10)..<(bytes.count * (piece + 1) / 10)
                #expect(write(file, Array(bytes[range]), range.count) == range.count)
                close(file)
                // A slow copy: the pause is the thing under test, nothing is awaited by it.
                try await ContinuousClock().sleep(for: .milliseconds(100))
                #expect(registrar.accepted.isEmpty)
            }
            await registrar.wait { $0.placed.count == 1 }
        }
        #expect(scratch.text("spool/processing/photos.tar.1/1.jpg")?.count == 5000)
    }

    struct Bad: CustomTestStringConvertible, Sendable {
        let name: String
        let make: @Sendable (ArchiveIntakeTests) throws -> Void
        let reason: Refusal.Reason
        let sentence: String
        var limits = FolderLimits()
        var testDescription: String { name }

        static func tar(
            _ name: String, _ reason: Refusal.Reason, _ sentence: String,
            limits: FolderLimits = FolderLimits(),
            cut: Int = 0, _ build: @escaping @Sendable (inout TarDraft) -> Void
        ) -> Bad {
            Bad(
                name: name,
                make: { test in
                    var tar = TarDraft()
                    tar.add("good.jpg", content: "good")
                    build(&tar)
                    test.put(Array(tar.ended.dropLast(cut)), at: "spool/incoming/classify/bad.tar")
                }, reason: reason, sentence: sentence, limits: limits)
        }

        static func shell(_ name: String, _ line: String, _ reason: Refusal.Reason, _ sentence: String) -> Bad {
            Bad(
                name: name,
                make: { test in
                    try test.scratch.fill("photos", ["1.jpg": "1234567890", "2.jpg": "2"])
                    try Tool.shell(line, in: test.scratch.path)
                }, reason: reason, sentence: sentence)
        }
    }

    static func capped(_ change: (inout FolderLimits) -> Void) -> FolderLimits {
        var limits = FolderLimits()
        change(&limits)
        return limits
    }

    static let bad: [Bad] = [
        .tar("dots", .unsafeEntry, "'../../out.jpg' in the archive leads out of the folder") {
            $0.add("../../out.jpg", content: "evil")
        },
        .tar("dots inside", .unsafeEntry, "'a/../../out.jpg' in the archive leads out") {
            $0.add("a/../../out.jpg", content: "evil")
        },
        .tar("absolute", .unsafeEntry, "'/tmp/out.jpg' in the archive is an absolute path") {
            $0.add("/tmp/out.jpg", content: "evil")
        },
        .tar("link", .unsafeEntry, "'a' in the archive is a symbolic link") {
            $0.add("a", .symbolicLink, target: "/etc")
            $0.add("a/passwd", content: "evil")
        },
        .tar("hard link", .unsafeEntry, "'a' in the archive is a hard link") {
            $0.add("a", .hardLink, target: "/etc/passwd")
        },
        .tar("hard link to a neighbour", .unsafeEntry, "'a' in the archive is a hard link") {
            $0.add("a", .hardLink, target: "good.jpg")
        },
        .tar("device", .unsafeEntry, "'a' in the archive is a character device") { $0.add("a", .characterDevice) },
        .tar("block device", .unsafeEntry, "'a' in the archive is a block device") { $0.add("a", .blockDevice) },
        .tar("fifo", .unsafeEntry, "'a' in the archive is a named pipe") { $0.add("a", .fifo) },
        .tar("twice", .unsafeEntry, "'good.jpg' in the archive is in it twice") {
            $0.add("good.jpg", content: "other")
        },
        .tar("file as folder", .unsafeEntry, "'good.jpg/1.jpg' in the archive cannot be made: Not a directory") {
            $0.add("good.jpg/1.jpg", content: "1")
        },
        .tar("the daemon's name", .unsafeEntry, "'.dropped/x' in the archive has the name") { $0.add(".dropped/x") },
        .tar(
            "too deep", .tooDeep, "'a/b/c/d/1.jpg' in the archive lies more than 2 folders deep",
            limits: capped { $0.depth = 2 }
        ) {
            $0.add("a/b/c/d/1.jpg", content: "1")
        },
        .tar(
            "too many", .tooManyEntries, "more than 3 files and folders in the archive",
            limits: capped { $0.entries = 3 }
        ) {
            for number in 0..<9 { $0.add("\(number).jpg", content: "1") }
        },
        .tar("too large", .tooLarge, "unpacks to more than 100 bytes", limits: capped { $0.unpackedBytes = 100 }) {
            $0.add("big.jpg", content: String(repeating: "1", count: 200))
        },
        .tar("without its end", .damagedArchive, "it was cut off", cut: 1024) { $0.add("1.jpg", content: "1") },
        .tar("cut in a file", .damagedArchive, "could not read the archive: ", cut: 1500) {
            $0.add("1.jpg", content: String(repeating: "1", count: 700))
        },
        .tar("without files", .empty, "the folder 'bad.tar' holds no files") {
            $0 = TarDraft()
            $0.add("only/", .folder)
        },
        .tar("manifest that disagrees", .manifestMismatch, "'good.jpg' has another SHA-256") {
            $0.add("manifest.sha256", content: "\(String(repeating: "0", count: 64))  good.jpg\n")
        },
        .tar("wishes too deep", .badSpecification, "'a/job.yaml' lies too deep") {
            $0.add("a/job.yaml", content: "model: m")
        },
        .tar("wishes that cannot be read", .badSpecification, "could not read 'job.yaml'") {
            $0.add("job.yaml", content: "a: *b")
        },
        .shell(
            "bomb", "mkdir z && head -c 200M /dev/zero > z/0.jpg && tar czf spool/incoming/classify/bad.tgz z",
            .tooLarge,
            "unpacks to more than 100 times its size"),
        .shell(
            "encrypted", "zip -qr -P secret bad photos && mv bad.zip spool/incoming/classify/bad.zip",
            .encryptedArchive,
            "is encrypted"),
        .shell(
            "zip with dots",
            "mkdir in && cd in && zip -q ../bad ../photos/1.jpg && mv ../bad.zip ../spool/incoming/classify",
            .unsafeEntry, "'../photos/1.jpg' in the archive leads out"),
        .shell(
            "zip with a link",
            "ln -s /etc/passwd photos/l && zip -qry bad photos && mv bad.zip spool/incoming/classify",
            .unsafeEntry, "'photos/l' in the archive is a symbolic link"),
        .shell(
            "zip that is cut off", "zip -qr bad photos && head -c 150 bad.zip > spool/incoming/classify/bad.zip",
            .damagedArchive, "could not read the archive"),
        .shell(
            "zip with other bytes",
            "zip -0qr bad photos && sed -i s/1234567890/1234567899/ bad.zip && mv bad.zip spool/incoming/classify",
            .damagedArchive, "CRC"),
        .shell(
            "tar.gz that is cut off",
            "head -c 9999 /dev/urandom > photos/3.jpg; tar czf b photos && head -c 5000 b > spool/incoming/classify/bad.tgz",
            .damagedArchive, "could not read the archive"),
        .shell(
            "tar.gz whose last bytes are missing",
            "tar czf b photos && head -c -4 b > spool/incoming/classify/bad.tgz", .damagedArchive, "end of file"),
        // The stream and all headers are in order; only the checksum behind them tells.
        .shell(
            "tar.gz with another checksum",
            "tar czf b photos && head -c -8 b > c && printf '\\0\\0\\0\\0' >> c && tail -c 4 b >> c && mv c spool/incoming/classify/bad.tgz",
            .damagedArchive, "incorrect data check"),
        .shell(
            "tar.gz with much behind its end",
            "tar cf b photos && head -c 80M /dev/zero >> b && gzip -c b > spool/incoming/classify/bad.tgz",
            .damagedArchive, "bytes follow its end"),
        .shell(
            "no archive", "cp photos/1.jpg spool/incoming/classify/bad.zip", .damagedArchive,
            "could not read the archive"),
        .shell("nothing", ": > spool/incoming/classify/bad.tar", .damagedArchive, "could not read the archive"),
        .shell(
            "another checksum",
            "tar cf b.tar photos && sha256sum photos/1.jpg | sed s:photos/1.jpg:bad.tar: > spool/incoming/classify/bad.tar.sha256 && mv b.tar spool/incoming/classify/bad.tar",
            .manifestMismatch, "it lists another SHA-256"),
        .shell(
            "hard-linked archive", "tar cf b.tar photos && ln b.tar spool/incoming/classify/bad.tar", .hardLink,
            "a file with 2 names"),
    ]

    @Test(arguments: bad)
    func `a bad archive is refused with its reason, whole, and nothing is left outside`(bad: Bad) async throws {
        try bad.make(self)
        let before = Set(scratch.list("."))
        var configuration = Self.configuration()
        configuration.limits = bad.limits
        try await withIntake(configuration) { registrar in
            await registrar.wait { state in state.log.contains { $0.hasPrefix("refused") } }
        }
        let folder = try #require(scratch.list("spool/rejected").first)
        let text = try #require(scratch.text("spool/rejected/\(folder)/REASON.json"))
        let notice = try JSONDecoder().decode(RejectionNotice.self, from: Data(text.utf8))
        #expect(notice.reason == bad.reason.rawValue)
        #expect(notice.message.contains(bad.sentence), "\(notice.message)")
        #expect(scratch.list("spool/rejected/\(folder)/input").contains { $0.hasPrefix("bad.") })
        #expect(scratch.list("spool/incoming/classify").isEmpty && registrar.accepted.isEmpty)
        #expect(scratch.list("spool/.work").isEmpty && Set(scratch.list(".")) == before)
        #expect(
            Set(scratch.list("spool")) == [".spool-id", ".work", "done", "incoming", "processing", "rejected", "tmp"])
    }

    @Test func `a tar in several members of gzip, in large records, is read to its end`() async throws {
        try scratch.fill("photos", ["1.jpg": "1", "2.jpg": "22"])
        try Tool.shell(
            "tar cf b -b 2048 photos && head -c 1000 b | gzip > c && tail -c +1001 b | gzip >> c && mv c spool/incoming/classify/a.tgz",
            in: scratch.path)
        try await withIntake(Self.configuration()) { registrar in await registrar.wait { $0.placed.count == 1 } }
        #expect(scratch.text("spool/processing/a.tgz.1/2.jpg") == "22")
    }

    @Test func `while an archive is unpacked others are taken; when the daemon stops it is given up, and taken later`()
        async throws
    {
        var tar = TarDraft()
        tar.add("1.jpg", content: "1")
        put(tar.ended, at: "spool/incoming/classify/a.tar")
        var configuration = Self.configuration()
        configuration.unpacking = UnpackIsolation(
            program: "/bin/sh", arguments: ["-c", ": > '\(scratch.path)/begun'; exec sleep 1000"])
        try await withIntake(configuration) { registrar in
            while !scratch.exists("begun") { try await Task.sleep(for: .milliseconds(10)) }
            try scratch.fill("spool/incoming/classify/b", ["1.jpg": "1"])
            await registrar.wait { $0.placed.count == 1 }
        }
        #expect(registrar.accepted.map(\.name) == ["b"])
        #expect(scratch.list("spool/incoming/classify") == ["a.tar"] && scratch.list("spool/.work").isEmpty)
        try await withIntake(Self.configuration()) { registrar in await registrar.wait { $0.placed.count == 2 } }
        #expect(registrar.accepted.map(\.name) == ["b", "a.tar"])
    }

    @Test(arguments: ["exec sleep 1000", "echo; exec sleep 1000", "exec >&-; exec sleep 1000"])
    func `an archive whose helper hangs is given up after a while, and taken later`(script: String) async throws {
        var tar = TarDraft()
        tar.add("1.jpg", content: "1")
        put(tar.ended, at: "spool/incoming/classify/a.tar")
        var configuration = Self.configuration()
        configuration.unpacking = UnpackIsolation(
            program: "/bin/sh", arguments: ["-c", script], patience: .milliseconds(500))
        try await withIntake(configuration) { registrar in
            await registrar.wait { state in state.log.contains { $0.hasPrefix("could not unpack an archive") } }
        }
        #expect(scratch.list("spool/incoming/classify") == ["a.tar"] && scratch.list("spool/.work").isEmpty)
        try await withIntake(Self.configuration()) { registrar in await registrar.wait { $0.placed.count == 1 } }
    }

    @Test func `what is said of a helper that was not done in time`() async throws {
        var tar = TarDraft()
        tar.add("1.jpg", content: "1")
        put(tar.ended, at: "a.tar")
        let archive = open("\(scratch.path)/a.tar", O_RDONLY | O_CLOEXEC)
        let folder = open("\(scratch.path)/spool", O_RDONLY | O_CLOEXEC)
        defer { for descriptor in [archive, folder] { close(descriptor) } }
        let unpacker = Unpacker(
            isolation: UnpackIsolation(
                program: "/bin/sh", arguments: ["-c", "exec sleep 1000"], patience: .milliseconds(250)),
            limits: ArchiveLimits(FolderLimits(), minimumFree: 0))
        let outcome = await unpacker.unpack(archive: archive, into: folder)
        let sentence = "the helper that unpacks archives was killed: it was not done after 0.25 seconds"
        #expect(outcome == .failed(sentence))
    }

    @Test func `an archive whose helper cannot be started waits, and is taken when it can`()
        async throws
    {
        var tar = TarDraft()
        tar.add("1.jpg", content: "1")
        put(tar.ended, at: "spool/incoming/classify/a.tar")
        var configuration = Self.configuration()
        configuration.unpacking.program = "/nowhere"
        try await withIntake(configuration) { registrar in
            await registrar.wait { state in state.log.contains { $0.hasPrefix("could not unpack an archive") } }
        }
        #expect(scratch.list("spool/incoming/classify") == ["a.tar"])
        try await withIntake(Self.configuration()) { registrar in await registrar.wait { $0.placed.count == 1 } }
    }
}
