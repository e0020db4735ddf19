import Foundation
import JobQueue
import Postgres
import TestSupport
import Testing

/// What each role may do, tried by a login of its own.
@Suite struct RoleTests {
    /// Statements as `role` in one session, after `SET SESSION AUTHORIZATION`, which is what a login would be.
    private func attempt(_ queue: QueueFixture, as role: String, _ sql: String) async throws -> Rows {
        try await queue.database.withConnection { connection in
            try connection.script("SET SESSION AUTHORIZATION \(role)")
            defer { _ = try? connection.script("RESET SESSION AUTHORIZATION") }
            return try connection.query(sql)
        }
    }

    /// Logins belong to the server, so each test has names of its own.
    private func logins(_ queue: QueueFixture, _ roles: [String]) async throws -> [String] {
        let mark = queue.test.settings.database ?? ""
        var names: [String] = []
        for (index, role) in roles.enumerated() {
            let name = "login_\(mark)_\(index)"
            try await queue.database.withConnection {
                _ = try $0.script("CREATE ROLE \(name) LOGIN IN ROLE shufflenet_\(role)")
            }
            names.append(name)
        }
        return names
    }

    private static let insert =
        #"INSERT INTO shufflenet.jobs (kind, args) VALUES ('train', '{"dataset": "a"}') RETURNING id"#

    @Test func `a submitter sees and steers its own jobs and nobody else's`() async throws {
        let queue = try await QueueFixture.make()
        let names = try await logins(queue, ["submitter", "submitter"])
        let (alice, bob) = (names[0], names[1])
        let id: Int64 = try await attempt(queue, as: alice, Self.insert)[0].decode("id")
        #expect(try await queue.store.job(JobID(id))?.submittedBy == alice)
        #expect(try await attempt(queue, as: alice, "SELECT * FROM shufflenet.jobs_overview").count == 1)
        #expect(try await attempt(queue, as: alice, "SELECT * FROM shufflenet.job_events").count == 1)
        for table in ["jobs", "jobs_overview", "job_events", "job_history", "job_attempts", "jobs_waiting"] {
            #expect(try await attempt(queue, as: bob, "SELECT * FROM shufflenet.\(table)").isEmpty)
        }
        for verb in ["cancel", "retry", "hold", "release"] {
            let error = await #expect(throws: PostgresError.self) {
                try await attempt(queue, as: bob, "SELECT shufflenet.\(verb)(\(id))")
            }
            #expect(error?.message == "there is no job \(id)")
        }
        await #expect(throws: PostgresError.self) {
            try await attempt(
                queue, as: bob, #"SELECT shufflenet.submit('train', '{"dataset": "a"}', after => '{\#(id)}')"#)
        }
        _ = try await attempt(queue, as: alice, "SELECT shufflenet.hold(\(id))")
        _ = try await attempt(queue, as: alice, "SELECT shufflenet.cancel(\(id))")
        #expect(try await queue.store.job(JobID(id))?.state == .cancelled)
    }

    @Test(arguments: [
        "INSERT INTO shufflenet.jobs (kind, args, state) VALUES ('train', '{\"dataset\": \"a\"}', 'completed')",
        "INSERT INTO shufflenet.jobs (kind, args, lease_token) VALUES ('train', '{\"dataset\": \"a\"}', 1)",
        "INSERT INTO shufflenet.jobs (kind, args, submitted_by) VALUES ('train', '{\"dataset\": \"a\"}', 'root')",
        "INSERT INTO shufflenet.jobs (kind, args, spool_folder) VALUES ('train', '{}', '../../etc')",
        "INSERT INTO shufflenet.jobs (kind, args) VALUES ('train', '{\"dataset\": \"../etc\"}')",
        "UPDATE shufflenet.jobs SET priority = 100", "DELETE FROM shufflenet.jobs",
        "SELECT shufflenet.pause_queue()", "SELECT shufflenet.unschedule('nightly')",
        "SELECT shufflenet.pause_schedule('nightly')", "SELECT shufflenet.resume_schedule('nightly')",
        "SELECT * FROM shufflenet.schedules",
        "INSERT INTO shufflenet.job_events (job_id, to_state, attempt) VALUES (1, 'x', 1)",
        "INSERT INTO shufflenet.job_history (job_id, to_state, attempt) VALUES (1, 'x', 1)",
        "SELECT * FROM shufflenet.open_folders",
        "SELECT nextval('shufflenet.lease_tokens')", "TRUNCATE shufflenet.jobs",
    ])
    func `a submitter can't reach past what is offered`(statement: String) async throws {
        let queue = try await QueueFixture.make()
        let alice = try await logins(queue, ["submitter"])[0]
        _ = try await attempt(queue, as: alice, Self.insert)
        await #expect(throws: PostgresError.self) { try await attempt(queue, as: alice, statement) }
    }

    @Test func `a key of somebody else's unfinished job is refused without telling which`() async throws {
        let queue = try await QueueFixture.make()
        let names = try await logins(queue, ["submitter", "submitter"])
        let submit = #"SELECT shufflenet.submit('train', '{"dataset": "a"}', unique_key => 'k')"#
        _ = try await attempt(queue, as: names[0], submit)
        let error = await #expect(throws: PostgresError.self) { try await attempt(queue, as: names[1], submit) }
        #expect(error?.message.contains("somebody else") == true)
    }

    @Test func `an operator steers everybody's jobs, a viewer only looks`() async throws {
        let queue = try await QueueFixture.make()
        let names = try await logins(queue, ["submitter", "operator", "viewer"])
        let id: Int64 = try await attempt(queue, as: names[0], Self.insert)[0].decode("id")
        for viewer in names[1...] {
            #expect(try await attempt(queue, as: viewer, "SELECT * FROM shufflenet.jobs_overview").count == 1)
        }
        await #expect(throws: PostgresError.self) {
            try await attempt(queue, as: names[2], "SELECT shufflenet.cancel(\(id))")
        }
        _ = try await attempt(queue, as: names[1], "SELECT shufflenet.pause_queue()")
        for verb in ["pause", "resume"] {
            let statement = "SELECT shufflenet.\(verb)_schedule('nightly')"
            _ = try await attempt(queue, as: names[1], statement)
            await #expect(throws: PostgresError.self) { try await attempt(queue, as: names[2], statement) }
        }
        _ = try await attempt(queue, as: names[1], "SELECT shufflenet.cancel(\(id))")
        #expect(try await queue.store.job(JobID(id))?.state == .cancelled)
    }

    @Test func `a worker needs no more than its role`() async throws {
        let queue = try await QueueFixture.make()
        let login = try await logins(queue, ["worker"])[0]
        let own = queue.test.settings
        let settings = try ConnectionSettings(
            parsing:
                "host=\(own.host ?? "") dbname=\(own.database ?? "") user=\(own.user ?? "") options='-c role=\(login)'")
        #expect(try await JobStore.migrate(settings) == [], "a schema that is up to date asks for no rights")
        let store = JobStore(Database(settings, capacity: 2))
        let worker = try await store.registerWorker(WorkerRegistration(slots: 1))
        try await queue.insert(2)
        let claims = try await store.claimAvailable(2, for: worker)
        #expect(try await store.recordLog(claims[0].lease, path: "/log"))
        #expect(try await store.reportProgress(claims[0].lease, fraction: 0.5, message: nil))
        #expect(try await store.heartbeat(worker).holdings.count == 2)
        #expect(try await store.complete(claims[0].lease, result: nil, outputPath: nil))
        #expect(try await store.fail(claims[1].lease, reason: .badInput, error: "no") == .failed)
        let args = JSONDocument(text: #"{"dataset": "a"}"#)
        _ = try await queue.store.submit(JobRequest(kind: .train, args: args, concurrencyKey: "k"))
        #expect(try await store.claimAvailable(1, for: worker).count == 1)
        #expect(try await store.rescueAbandoned() == [])
        #expect(try await store.tickSchedules().fired == [])
        #expect(try await store.attempts(of: claims[0].id).count == 1)
    }
}
