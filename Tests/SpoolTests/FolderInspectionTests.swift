import Crypto
import Foundation
import Glibc
import Support
import Testing

@testable import Spool

@Suite struct FolderInspectionTests {
    let scratch = ScratchFolder()
    let name = EntryName("drop")

    func inspect(_ limits: FolderLimits = FolderLimits()) throws -> FolderInspection {
        try FolderInspection.inspect(name, in: FolderHandle(path: scratch.path), limits: limits)
    }

    func refusal(_ limits: FolderLimits = FolderLimits()) -> Refusal? {
        #expect(throws: Refusal.self) { try inspect(limits) }
    }

    static func digest(_ text: String) -> String {
        SHA256.hash(data: Data(text.utf8)).map { String(format: "%02x", $0) }.joined()
    }

    @Test func `a plain folder with wishes passes, and control files are no data`() throws {
        try scratch.fill("drop", ["a.jpg": "12345", "sub/b.jpg": "123", "job.yaml": "top_k: 3\n", ".ready": ""])
        let inspection = try inspect()
        #expect(inspection.arguments == #"{"top_k":3}"#)
        #expect(inspection.survey.files == 2)
        #expect(inspection.survey.bytes == 8)
    }

    /// Where this user may make devices.
    static let devices: [(String, String, String)] = {
        let scratch = ScratchFolder()
        guard mknod("\(scratch.path)/null", S_IFCHR | 0o600, 0x103) == 0 else { return [] }
        return [
            ("character device", "special_file", "'sub/bad' is a character device"),
            ("block device", "special_file", "'sub/bad' is a block device"),
        ]
    }()

    @Test(
        arguments: [
            ("symlink", "symbolic_link", "'sub/bad' is a symbolic link"),
            ("folderlink", "symbolic_link", "'sub/bad' is a symbolic link"),
            ("hardlink", "hard_link", "'sub/bad' is a file with 2 names"),
            ("fifo", "special_file", "'sub/bad' is a named pipe (FIFO)"),
            ("socket", "special_file", "'sub/bad' is a socket"),
        ] + devices)
    func `hostile entries are refused by name`(sort: String, reason: String, sentence: String) throws {
        try scratch.fill("drop/sub", ["good.jpg": "1"])
        try scratch.write("foreign", "secret")
        let bad = "\(scratch.path)/drop/sub/bad"
        switch sort {
        case "symlink": symlink("/etc/passwd", bad)
        case "folderlink": symlink("/etc", bad)
        case "hardlink": link("\(scratch.path)/foreign", bad)
        case "fifo": mkfifo(bad, 0o600)
        // The numbers of null and loop0: nothing would come of opening them.
        case "character device": mknod(bad, S_IFCHR | 0o600, 0x103)
        case "block device": mknod(bad, S_IFBLK | 0o600, 0x700)
        default: mknod(bad, S_IFSOCK | 0o600, 0)
        }
        let refusal = refusal()
        #expect(refusal?.reason == reason)
        #expect(refusal?.message.contains(sentence) == true, "\(refusal?.message ?? "")")
    }

    @Test func `a link called job.yaml is not followed`() throws {
        try scratch.fill("drop", ["a.jpg": "1"])
        symlink("/etc/hostname", "\(scratch.path)/drop/job.yaml")
        #expect(refusal()?.reason == "symbolic_link")
    }

    @Test(arguments: ["Job.yaml", "JOB.YAML", "job.YML"])
    func `a specification in capitals is not taken for data`(name: String) throws {
        try scratch.fill("drop", ["a.jpg": "1", name: "a: 1"])
        #expect(refusal()?.message.contains("found '\(name)'; the file must be called 'job.yaml'") == true)
    }

    @Test func `a folder under a forbidden name of the specification is told so`() throws {
        try scratch.fill("drop", ["a.jpg": "1", "job.yml": "a: 1"])
        #expect(refusal()?.message.contains("found 'job.yml'") == true)
        try scratch.fill("drop/job.yaml", ["x": ""])
        #expect(refusal()?.reason == "bad_specification")
    }

    @Test func `a specification that lies too deep is named, unless there is one at the top or it is hidden`() throws {
        try scratch.fill("drop", ["a.jpg": "1", ".old/job.yaml": "top_k: 1"])
        #expect(try inspect().arguments == "{}")
        try scratch.write("drop/batch/job.yaml", "top_k: 2")
        let refusal = refusal()
        #expect(refusal?.reason == "bad_specification")
        #expect(refusal?.message == "'batch/job.yaml' lies too deep to be read as the job's arguments")
        try scratch.write("drop/job.yaml", "top_k: 3")
        #expect(try inspect().arguments == #"{"top_k":3}"#)
    }

    @Test func `caps refuse with their numbers`() throws {
        try scratch.fill("drop/1/2/3", ["a.jpg": "12345", "b.jpg": "12345"])
        var limits = FolderLimits()
        limits.depth = 2
        #expect(refusal(limits)?.message == "'1/2/3' lies more than 2 folders deep")
        limits = FolderLimits()
        limits.entries = 4
        #expect(refusal(limits)?.reason == "too_many_entries")
        limits = FolderLimits()
        limits.bytes = 9
        #expect(refusal(limits)?.reason == "too_large")
        try scratch.write("drop/job.yaml", "a: 1 # long enough")
        limits = FolderLimits()
        limits.specificationBytes = 10
        #expect(refusal(limits)?.reason == "bad_specification")
    }

    @Test func `an empty folder is refused`() throws {
        try scratch.fill("drop/only/folders", [:])
        #expect(refusal()?.reason == "empty")
    }

    @Test func `names of any bytes pass and are escaped in sentences`() throws {
        try scratch.fill("drop", ["a.jpg": "1"])
        let path: [CChar] = Array("\(scratch.path)/drop/".utf8CString.dropLast()) + [-1, -2, 0]
        #expect(symlink("x", path) == 0)
        #expect(refusal()?.message.contains("'%FF%FE' is a symbolic link") == true)
        unlink(path)
        close(open(path, O_CREAT | O_WRONLY, 0o644))
        #expect(try inspect().survey.files == 2)
    }

    @Test func `a manifest that agrees passes`() throws {
        let lines = "\(Self.digest("1"))  a.jpg\n\(Self.digest("22")) *./sub/b.jpg\n\(Self.digest("333")) 3 c d.jpg\n"
        try scratch.fill(
            "drop", ["a.jpg": "1", "sub/b.jpg": "22", "c d.jpg": "333", "job.yaml": "", "manifest.sha256": lines])
        #expect(try inspect().survey.files == 3)
    }

    @Test(arguments: [
        (["a.jpg": "1"], "%1  a.jpg\n%1  b.jpg\n", "'b.jpg' is listed and not there"),
        (["a.jpg": "1", "b.jpg": "1"], "%1  a.jpg\n", "'b.jpg' is not listed"),
        (["a.jpg": "2"], "%1  a.jpg\n", "'a.jpg' has another SHA-256"),
        (["a.jpg": "1"], "%1 7 a.jpg\n", "'a.jpg' has 1 bytes, 7 are listed"),
        (["a.jpg": "1"], "%1  a.jpg\n%1  a.jpg\n", "line 2 lists 'a.jpg' a second time"),
        (["a.jpg": "1"], "nonsense\n", "line 1 is not"),
        (["a.jpg": "1"], "%1  a.jpg\n%1  ../../../etc/passwd\n", "'../../../etc/passwd' is listed and not there"),
    ])
    func `a manifest that disagrees refuses`(files: [String: String], lines: String, sentence: String) throws {
        try scratch.fill("drop", files)
        try scratch.write("drop/manifest.sha256", lines.replacing("%1", with: Self.digest("1")))
        let refusal = refusal()
        #expect(refusal?.reason == "manifest_mismatch")
        #expect(refusal?.message.contains(sentence) == true, "\(refusal?.message ?? "")")
    }

    @Test func `a manifest is not read to its end by a daemon that is to stop`() async throws {
        try scratch.write("drop/z.jpg", "")
        try #require(truncate("\(scratch.path)/drop/z.jpg", 1 << 40) == 0)
        try scratch.write("drop/manifest.sha256", "\(Self.digest("1"))  z.jpg\n")
        let look = Task { [path = scratch.path, name] in
            withUnsafeCurrentTask { $0?.cancel() }
            return try FolderInspection.inspect(name, in: FolderHandle(path: path), limits: FolderLimits())
        }
        let error = await #expect(throws: SystemError.self) { try await look.value }
        #expect(error?.code == ECANCELED)
    }

    @Test func `a survey changes with any change and only then`() throws {
        try scratch.fill("drop", ["a.jpg": "1", "sub/b.jpg": "1"])
        let folder = try FolderHandle(path: "\(scratch.path)/drop")
        func fingerprint() throws -> Int { try FolderSurvey.take(of: folder, limits: FolderLimits()).fingerprint }
        var seen: Set<Int> = [try fingerprint()]
        #expect(seen.contains(try fingerprint()))
        let changes: [() throws -> Void] = [
            { try scratch.write("drop/sub/c.jpg", "") },
            { try scratch.write("drop/sub/c.jpg", "more") },
            { try scratch.move("drop/sub/c.jpg", to: "drop/c.jpg") },
            { chmod("\(scratch.path)/drop/a.jpg", 0o600) },
            { unlink("\(scratch.path)/drop/c.jpg") },
        ]
        for change in changes {
            try change()
            #expect(seen.insert(try fingerprint()).inserted)
        }
    }
}
