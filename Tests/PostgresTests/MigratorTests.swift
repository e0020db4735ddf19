import Postgres
import TestSupport
import Testing

@Suite struct MigratorTests {
    private static let steps = [
        Migration(version: 1, name: "one", sql: "CREATE TABLE s.a (n int); INSERT INTO s.a VALUES (1);"),
        Migration(version: 2, name: "two", sql: "CREATE TABLE s.b (n int);"),
    ]

    @Test func `steps are applied once and in order, later ones on top`() async throws {
        let database = try await TestDatabase.make().database
        let one = Migrator(schema: "s", migrations: Array(Self.steps.prefix(1)))
        let both = Migrator(schema: "s", migrations: Self.steps)
        #expect(try await database.withConnection { try both.standing($0) } == .absent)
        #expect(try await database.withConnection { try one.migrate($0) } == [1])
        #expect(try await database.withConnection { try both.standing($0) } == .older(version: 1))
        #expect(try await database.withConnection { try both.migrate($0) } == [2])
        #expect(try await database.withConnection { try both.migrate($0) } == [])
        #expect(try await database.withConnection { try both.standing($0) } == .current(version: 2))
    }

    @Test func `two at once apply every step once`() async throws {
        let database = try await TestDatabase.make(capacity: 8).database
        let migrator = Migrator(schema: "s", migrations: Self.steps)
        let applied = try await withThrowingTaskGroup(of: [Int].self) { group in
            for _ in 0..<8 { group.addTask { try await database.withConnection { try migrator.migrate($0) } } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(applied == [1, 2])
    }

    @Test func `a newer schema is refused with a sentence`() async throws {
        let database = try await TestDatabase.make().database
        _ = try await database.withConnection { try Migrator(schema: "s", migrations: Self.steps).migrate($0) }
        let old = Migrator(schema: "s", migrations: Array(Self.steps.prefix(1)))
        #expect(try await database.withConnection { try old.standing($0) } == .newer(version: 2))
        let error = await #expect(throws: PostgresError.self) {
            try await database.withConnection { try old.migrate($0) }
        }
        #expect(error?.description.contains("has version 2, this program knows only up to 1") == true)
    }

    @Test func `a step that was changed after it was applied is refused`() async throws {
        let database = try await TestDatabase.make().database
        _ = try await database.withConnection { try Migrator(schema: "s", migrations: Self.steps).migrate($0) }
        var changed = Self.steps
        changed[0] = Migration(version: 1, name: "one", sql: "CREATE TABLE s.c (n int);")
        let migrator = Migrator(schema: "s", migrations: changed)
        let error = await #expect(throws: PostgresError.self) {
            try await database.withConnection { try migrator.migrate($0) }
        }
        #expect(error?.description.contains("step 1 ('one')") == true)
    }

    @Test func `a step that fails leaves nothing behind`() async throws {
        let database = try await TestDatabase.make().database
        let broken = Migrator(
            schema: "s",
            migrations: Self.steps + [Migration(version: 3, name: "bad", sql: "CREATE TABLE s.c (n int); SELECT 1/0;")])
        await #expect(throws: PostgresError.self) { try await database.withConnection { try broken.migrate($0) } }
        #expect(try await database.withConnection { try broken.standing($0) } == .absent)
    }
}
