import JobQueue
import Logging
import Postgres
import Support
import TestSupport
import Testing

@testable import Daemon
@testable import Spool

/// Whose fault it is when a dropped folder can't be made a job.
@Suite struct SpoolRegistrarTests {
    let database: TestDatabase
    let registrar: SpoolRegistrar

    init() async throws {
        database = try await TestDatabase.make()
        try await JobStore.migrate(database.settings)
        registrar = SpoolRegistrar(
            queue: JobStore(database.database), queueName: "spool-test", logger: Logger(label: "test"), placed: {})
    }

    private func folder(_ arguments: String) -> AcceptedFolder {
        AcceptedFolder(
            kind: SpoolKind(rawValue: "classify"), name: "photos", uniqueKey: "spool:test:photos", arguments: arguments,
            sign: .ready, files: 1, bytes: 1, owner: 0)
    }

    @Test("what a person wrote into job.yaml is refused with the schema's words")
    func refuses() async throws {
        let refusal = await #expect(throws: Refusal.self) {
            try await registrar.register(folder(#"{"modle": "flowers"}"#))
        }
        #expect(refusal?.message.contains("modle") == true)
    }

    @Test("trouble of the server is no fault of the folder, which is taken once it is over")
    func serverTrouble() async throws {
        try await database.database.query("ALTER TABLE shufflenet.jobs RENAME TO away")
        await #expect(throws: PostgresError.self) { try await registrar.register(folder(#"{"model": "flowers"}"#)) }
        try await database.database.query("ALTER TABLE shufflenet.away RENAME TO jobs")
        #expect(try await registrar.register(folder(#"{"model": "flowers"}"#)) > 0)
    }

    @Test("a folder whose name is all bytes that are no text is taken in under that name, as it is written")
    func latinName() async throws {
        let scratch = try Scratch()
        let store = try SpoolStore(root: "\(scratch.path)/spool")
        var configuration = SpoolConfiguration()
        configuration.quietPeriod = .milliseconds(200)
        configuration.settlePeriod = .milliseconds(50)
        configuration.minimumFreeBytes = 0
        let intake = SpoolIntake(
            store: store, configuration: configuration, registrar: registrar, logger: Logger(label: "test"))
        try Tool.shell(
            """
            name=$(printf '\\344%.0s' $(seq 100))
            mkdir "$name" && echo 'model: flowers' > "$name/job.yaml" && echo picture > "$name/a.jpg"
            mv "$name" spool/incoming/classify/
            """, in: scratch.path)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await intake.run() }
            let queue = registrar.queue
            let isPlaced = try await eventually { try await queue.spoolJobs().contains { $0.spoolFolder != nil } }
            #expect(isPlaced, "\(FileTree.names(in: "\(scratch.path)/spool/rejected"))")
            #expect(try await queue.jobs().map(\.name) == [String(repeating: "%E4", count: 100)])
            group.cancelAll()
        }
    }
}
