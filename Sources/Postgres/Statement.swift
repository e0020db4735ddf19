/// One statement and what stands for its `$1`, `$2`, …
public struct Statement: Sendable {
    public var sql: String
    public var parameters: [any PostgresParameter]

    public init(_ sql: String, _ parameters: [any PostgresParameter] = []) {
        self.sql = sql
        self.parameters = parameters
    }
}
