internal import Postgres

/// What a worker must know of a job to carry it out: a part of its row, just after the claim.
public struct Assignment: Sendable, Identifiable, Equatable {
    public var id: JobID
    public var kind: JobKind
    /// What people call it; for a spool job the dropped folder's name.
    public var name: String?
    public var args: JSONDocument
    /// The number of this run; names its log file. No fence.
    public var attempt: Int
    public var timeout: Duration?
    /// Threads of the child; nil: an equal share of the daemon's.
    public var cores: Int?
    /// Resident bytes past which the child is killed.
    public var memoryLimit: Int64?
    /// Of a shard: which part it is, from 1.
    public var shard: Int?
    /// How many parts there are; of the parent itself too, which merges them.
    public var shards: Int?
    /// The folder's name under `processing/`; nil for jobs that did not come through the spool.
    public var spoolFolder: String?
}

extension Assignment {
    /// The columns that `init(_:)` wants, of a table or query named `source`.
    static func columns(of source: String) -> String {
        let plain = [
            "id", "kind", "name", "args", "attempt", "cores", "memory_limit", "shard", "shards", "spool_folder",
        ]
        return plain.map { "\(source).\($0)" }.joined(separator: ", ")
            + ", extract(epoch FROM \(source).timeout) AS timeout_seconds"
    }

    init(_ row: Row) throws {
        id = JobID(try row.decode("id"))
        kind = try row.decodeCase("kind")
        name = try row.decodeIfPresent("name")
        args = JSONDocument(text: try row.decode("args"))
        attempt = try row.decode("attempt")
        timeout = try row.decodeIfPresent("timeout_seconds")
        cores = try row.decodeIfPresent("cores")
        memoryLimit = try row.decodeIfPresent("memory_limit")
        shard = try row.decodeIfPresent("shard")
        shards = try row.decodeIfPresent("shards")
        spoolFolder = try row.decodeIfPresent("spool_folder")
    }
}
