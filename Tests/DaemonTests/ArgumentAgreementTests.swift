import JobQueue
import Postgres
import Runs
import TestSupport
import Testing

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
}
