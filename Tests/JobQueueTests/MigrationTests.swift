import Foundation
import JobQueue
import Postgres
import TestSupport
import Testing

@Suite struct MigrationTests {
    @Test func `the binary carries every file of the folder, byte for byte`() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../migrations")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".sql") }
            .sorted()
        #expect(files.count == Migrator.shufflenet.migrations.count)
        for (file, migration) in zip(files, Migrator.shufflenet.migrations) {
            #expect(file.hasPrefix(String(format: "%04d_", migration.version)))
            #expect(file == "\(file.prefix(5))\(migration.name).sql")
            #expect(try String(contentsOf: folder.appending(path: file), encoding: .utf8) == migration.sql)
        }
    }

    @Test func `twice and by several at once, the schema is made once`() async throws {
        let test = try await TestDatabase.make()
        let applied = try await withThrowingTaskGroup(of: [Int].self) { group in
            for _ in 0..<4 { group.addTask { try await JobStore.migrate(test.settings) } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(applied == Migrator.shufflenet.migrations.map(\.version))
        #expect(try await JobStore.migrate(test.settings) == [])
    }

    @Test func `tables, views and the functions for people have comments`() async throws {
        let queue = try await QueueFixture.make()
        let bare = try await queue.database.query(
            """
            SELECT relname AS name FROM pg_class
            WHERE relnamespace = 'shufflenet'::regnamespace AND relkind IN ('r', 'v') AND obj_description(oid) IS NULL
            UNION ALL
            SELECT proname FROM pg_proc
            WHERE pronamespace = 'shufflenet'::regnamespace AND obj_description(oid) IS NULL
                AND proname IN ('submit', 'cancel', 'retry', 'hold', 'release', 'schedule', 'unschedule',
                    'pause_schedule', 'resume_schedule')
            """)
        #expect(try bare.map { try $0.decode("name", as: String.self) } == [])
    }

    @Test(arguments: [
        "jobs_overview", "jobs_waiting", "jobs_running", "jobs_failures", "schedules_overview", "workers_overview",
        "unserved_queues", "live_workers",
    ])
    func `the views can be read`(view: String) async throws {
        let queue = try await QueueFixture.make()
        try await queue.insert()
        _ = try await queue.claimOne()
        try await queue.database.query("SELECT * FROM shufflenet.\(view)")
    }
}
