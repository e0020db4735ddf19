import JobQueue
import Postgres
import TestSupport
import Testing

@testable import Runs

/// The database refuses unknown keys when a row is inserted, the run when the job starts: both must know the same.
@Suite struct ArgumentAgreementTests {
    @Test("the keys that SQL accepts are those that the runs know", arguments: JobSpecification.Kind.allCases)
    func keys(of kind: JobSpecification.Kind) async throws {
        let test = try await TestDatabase.make()
        try await JobStore.migrate(test.settings)
        let rows = try await test.database.query(
            "SELECT name FROM shufflenet.job_arguments WHERE kind = $1", [kind.rawValue])
        let accepted = try Set(rows.map { try $0.decode("name", as: String.self) })
        #expect(accepted == KnownArguments.names(of: kind))
    }

    @Test("a name that SQL accepts is one that the runs accept, to the last character")
    func names() async throws {
        let test = try await TestDatabase.make()
        try await JobStore.migrate(test.settings)
        let rows = try await test.database.query("SELECT kind, name FROM shufflenet.job_arguments WHERE is_name")
        #expect(rows.count == 7)
        let names = [
            String(repeating: "n", count: 128), String(repeating: "n", count: 129), "n", "2024", "", ".n", "_n", "-n",
            "a.b_c-d", "a/b", "a b", "ä", "n\n",
        ]
        for row in rows {
            let (kind, key): (String, String) = (try row.decode("kind"), try row.decode("name"))
            for name in names {
                let arguments = try JSONDocument(encoding: [key: name]).text
                var refusal: PostgresError?
                do {
                    try await test.database.query(
                        "SELECT shufflenet.check_arguments($1, $2::jsonb, true)", [kind, arguments])
                } catch let error as PostgresError {
                    refusal = error
                }
                let answer = refusal?.message ?? "accepted"
                #expect((refusal == nil) == ArgumentReader.isName(name), "\(kind) \(key): \(answer)")
                if let refusal { #expect(refusal.hint?.contains("at most 128 letters") == true) }
            }
        }
    }
}
