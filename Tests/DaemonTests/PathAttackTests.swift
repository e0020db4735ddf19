import Foundation
import Glibc
import JobQueue
import Postgres
import Support
import TestSupport
import Testing

@testable import Daemon

/// Tries to read files of the system, or to write outside the roots, through names, links, archives, `job.yaml` and the
/// arguments of SQL. All are refused, each with its sentence, and the world outside stays as it was.
@Suite struct PathAttackTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    /// Writes down what it was told, as a result.
    static let child = """
        read -r specification
        work=$(sed -E 's/.*"work":"([^"]*)".*/\\1/' <<< "$specification")
        printf '%s' "$specification" > "$work/predictions.csv"
        echo '{"event":"result","result":{"figures":{},"files":{},"summary":"done"}}'
        """

    struct Attack: CustomTestStringConvertible, Sendable {
        let name: String
        /// Of the sentence in REASON.json.
        let sentence: String
        /// Makes `$1`, the drop, in an empty folder. `$2` is a secret outside the spool.
        let script: String
        var testDescription: String { name }

        static func archive(_ name: String, _ sentence: String, _ build: (inout TarDraft) -> Void) -> Attack {
            var tar = TarDraft()
            tar.add("job.yaml", content: "model: m")
            build(&tar)
            let text = Data(tar.ended).base64EncodedString()
            return Attack(name: "\(name).tar", sentence: sentence, script: "echo \(text) | base64 -d > \"$1\"")
        }

        static func wishes(_ name: String, _ sentence: String, _ yaml: String) -> Attack {
            Attack(
                name: name, sentence: sentence,
                script: "mkdir \"$1\"; echo 1 > \"$1/1.jpg\"; printf '%s\\n' '\(yaml)' > \"$1/job.yaml\"")
        }

        static func link(_ name: String, _ sentence: String, _ script: String) -> Attack {
            Attack(
                name: name, sentence: sentence,
                script: "mkdir \"$1\"; echo 1 > \"$1/1.jpg\"; echo model: m > \"$1/job.yaml\"; cd \"$1\"; \(script)")
        }
    }

    static let attacks: [Attack] = [
        .wishes("model-up", "'model' is not a name", "model: ../../../../etc/passwd"),
        .wishes("model-absolute", "'model' is not a name", "model: /etc/passwd"),
        .wishes("model-hidden", "'model' is not a name", "model: .ssh"),
        .wishes("model-list", "'model' is not a name", "model: [/etc/passwd]"),
        .wishes("model-newline", "'model' is not a name", #"model: "m\n/etc/passwd""#),
        .wishes("model-nul", "NUL", #"model: "m\0/etc/passwd""#),
        .wishes("images", "'images'", "{model: m, images: /etc}"),
        .wishes("dataset", "'dataset'", "{model: m, dataset: ../../etc}"),
        .wishes("out", "unknown key", "{model: m, out: /etc/cron.d/evil}"),
        .wishes("work", "unknown key", "{model: m, work: /etc}"),
        .wishes("include", "'model' is not a name", "model: !include /etc/passwd"),
        .wishes("alias", "an anchor", "model: &a /etc/passwd"),
        .link("link-file", "'2.jpg' is a symbolic link", "ln -s \"$2\" 2.jpg"),
        .link("link-folder", "'sub' is a symbolic link", "ln -s /etc sub"),
        .link("link-up", "'sub' is a symbolic link", "ln -s ../../../.. sub"),
        .link("link-wishes", "'job.yaml' is a symbolic link", "rm job.yaml; ln -s \"$2\" job.yaml"),
        .link("link-ready", "'.ready' is a symbolic link", "ln -s \"$2\" .ready"),
        .link("link-manifest", "'manifest.sha256' is a symbolic link", "ln -s \"$2\" manifest.sha256"),
        .link("link-hard", "'2.jpg' is a file with 2 names", "ln \"$2\" 2.jpg"),
        .link("pipe", "'2.jpg' is a named pipe", "mkfifo 2.jpg"),
        .link("wishes-folder", "not a plain file", "rm job.yaml; mkdir job.yaml; echo 1 > job.yaml/x"),
        .link(
            "manifest-up", "is listed and not there",
            "printf '%064d  ../../../../etc/passwd\\n%064d  1.jpg\\n' 0 0 > manifest.sha256"),
        Attack(name: "link-itself", sentence: "'link-itself' is a symbolic link", script: "ln -s /etc \"$1\""),
        Attack(name: "pipe-itself", sentence: "is a named pipe", script: "mkfifo \"$1\""),
        Attack(name: "link.zip", sentence: "'link.zip' is a symbolic link", script: "ln -s \"$2\" \"$1\""),
        .archive("up", "'../../../out' in the archive leads out") { $0.add("../../../out", content: "evil") },
        .archive("absolute", "is an absolute path") { $0.add("/etc/cron.d/evil", content: "evil") },
        .archive("through-link", "'d' in the archive is a symbolic link") {
            $0.add("d", .symbolicLink, target: "/etc")
            $0.add("d/passwd", content: "evil")
        },
        .archive("hard", "'d' in the archive is a hard link") { $0.add("d", .hardLink, target: "/etc/passwd") },
        .archive("wishes", "'model' is not a name") {
            $0 = TarDraft()
            $0.add("1.jpg", content: "1")
            $0.add("job.yaml", content: "model: ../../etc/passwd")
        },
    ]

    @Test("every drop that reaches for the outside is refused with its sentence")
    func drops() async throws {
        let database = try await TestDatabase.make(capacity: 6)
        let daemon = try RunningDaemon(scratch: scratch, database: database, child: Self.child)
        #expect(try await daemon.isReady(), "\(scratch.read("state.log") ?? "")")
        let spool = "\(scratch.path)/state/spool"
        let secret = try scratch.write("the secret", to: "outside/secret.jpg")
        let before = try outside()
        for attack in Self.attacks {
            let target = "\(spool)/tmp/\(attack.name)"
            try Tool.shell("set -- '\(target)' '\(secret)'; \(attack.script)", in: "\(spool)/tmp")
            #expect(rename(target, "\(spool)/incoming/classify/\(attack.name)") == 0)
        }
        #expect(
            await eventually { FileTree.names(in: "\(spool)/rejected").count == Self.attacks.count },
            "\(FileTree.names(in: "\(spool)/incoming/classify"))")
        let folders = FileTree.names(in: "\(spool)/rejected")
        for attack in Self.attacks {
            let folder = try #require(folders.first { $0.hasPrefix("\(attack.name).2") }, "\(attack)")
            let notice = scratch.read("state/spool/rejected/\(folder)/REASON.json") ?? ""
            #expect(notice.contains(attack.sentence), "\(attack): \(notice)")
        }
        #expect(try await daemon.queue.jobs(limit: 100).isEmpty)
        #expect(try outside() == before)
        #expect(scratch.read("outside/secret.jpg") == "the secret")
    }

    /// Names that mean something to a shell, to printf, to SQL, to a spreadsheet, to a path. (Those with a leading dot are
    /// hidden, and looked at by nobody.)
    static let names = [
        "-rf", "$(touch out)", "`touch out`", "'; DROP TABLE shufflenet.jobs; --", "%s%n", "x..jpg", "a\nb",
        "=1+1",
        "%2e%2e%2f", "a\\..\\..\\out", "~", "a'b\"c", "\u{202E}gpj", String(repeating: "x", count: 255),
    ]

    @Test("a name leads nowhere: each folder is taken and its result lies in done/")
    func names() async throws {
        let database = try await TestDatabase.make(capacity: 6)
        let daemon = try RunningDaemon(scratch: scratch, database: database, child: Self.child)
        #expect(try await daemon.isReady(), "\(scratch.read("state.log") ?? "")")
        let before = try outside()
        let spool = "\(scratch.path)/state/spool"
        for name in Self.names {
            try scratch.write("1", to: "state/spool/tmp/drop/1.jpg")
            try scratch.write("model: m", to: "state/spool/tmp/drop/job.yaml")
            #expect(rename("\(spool)/tmp/drop", "\(spool)/incoming/classify/\(name)") == 0)
        }
        #expect(
            await eventually { FileTree.names(in: "\(spool)/done").count == Self.names.count },
            "\(scratch.read("state.log") ?? "")")
        for folder in FileTree.names(in: "\(spool)/done") {
            #expect(await eventually { FileTree.names(in: "\(spool)/done/\(folder)/input") == ["1.jpg", "job.yaml"] })
        }
        #expect(try outside() == before)
    }

    /// Kind, arguments, and what the refusal says.
    static let arguments: [(String, String, String)] =
        ["../x", "/etc/passwd", "a/b", ".hidden", "..", ".", "", "a\\nb", "a\\u0001"].flatMap { path in
            [
                ("train", #"{"dataset": "\#(path)"}"#, "'dataset' is not a name"),
                ("train", #"{"dataset": "d", "from": "\#(path)"}"#, "'from' is not a name"),
                ("train", #"{"dataset": "d", "publish_as": "\#(path)"}"#, "'publish_as' is not a name"),
                ("evaluate", #"{"dataset": "\#(path)", "model": "m"}"#, "'dataset' is not a name"),
                ("evaluate", #"{"dataset": "d", "model": "\#(path)"}"#, "'model' is not a name"),
                ("classify", #"{"images": "\#(path)", "model": "m"}"#, "'images' is not a name"),
                ("classify", #"{"images": "i", "model": "\#(path)"}"#, "'model' is not a name"),
            ]
        }

    @Test("no argument of SQL is a path, by INSERT, submit, UPDATE or schedule")
    func sql() async throws {
        let database = try await TestDatabase.make(capacity: 4)
        _ = try await JobStore.migrate(database.settings)
        let sql = database.database
        let kept = try await JobStore(sql).submit(
            JobRequest(kind: .classify, args: JSONDocument(text: #"{"images": "i", "model": "m"}"#)))
        for (kind, args, sentence) in Self.arguments {
            for statement in [
                "INSERT INTO shufflenet.jobs (kind, args) VALUES ('\(kind)', '\(args)')",
                "SELECT shufflenet.submit('\(kind)', '\(args)')",
                "UPDATE shufflenet.jobs SET kind = '\(kind)', args = '\(args)' WHERE id = \(kept)",
                "SELECT shufflenet.schedule('s', '0 0 * * *', '\(kind)', '\(args)')",
            ] {
                let error = await #expect(throws: PostgresError.self, "\(statement)") { try await sql.query(statement) }
                #expect(error?.message.contains(sentence) == true, "\(statement): \(error?.message ?? "")")
            }
        }
    }

    /// Everything outside the state folder that an attack could have made, and what is known of the system's own files.
    private func outside() throws -> [String] {
        var found = FileTree.names(in: scratch.path).filter { !$0.hasPrefix("state") }
        found += FileTree.names(in: "\(scratch.path)/outside") + FileTree.names(in: "\(scratch.path)/state")
        found += FileTree.names(in: "\(scratch.path)/state/spool")
        for path in ["/etc/passwd", "/etc/cron.d/evil", "/tmp/out"] {
            var status = stat()
            found.append(lstat(path, &status) == 0 ? "\(path) \(status.st_size) \(status.st_mtim.tv_sec)" : path)
        }
        return found
    }
}
