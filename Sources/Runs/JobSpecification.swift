/// One job as the daemon hands it to a child process: the first line of the child's standard input.
public struct JobSpecification: Codable, Sendable {
    public enum Kind: String, Codable, Sendable, CaseIterable {
        case train, evaluate, classify
    }

    /// Folders in which the names in a job's arguments are looked up.
    public struct Roots: Codable, Sendable {
        public var datasets: String
        public var models: String

        public init(datasets: String, models: String) {
            self.datasets = datasets
            self.models = models
        }
    }

    public var job: Int64
    public var attempt: Int
    public var kind: Kind
    /// The job's arguments as the submitter wrote them, still unchecked.
    public var args: JSONValue
    /// A dropped folder: the data set or the images themselves. Absolute; absent for jobs by SQL.
    public var input: String?
    /// Files of `input`, relative to it, that are about the job and no data.
    public var excluded: [String]
    /// The folder that takes all output of this attempt. Absolute, exists.
    public var work: String
    /// The work folder of an earlier attempt that ended early, to resume from.
    public var previous: String?
    public var roots: Roots
    public var threads: Int
    /// The part of the files that this job takes; absent: all.
    public var shard: Shard?
    /// The CSV files of the parts that this job puts together, in order; absent for a job that does its own work.
    public var parts: [String]?

    /// The models that the job reads, or puts another one in the place of; a merge of parts does neither.
    public var namedModels: Set<String> {
        guard parts == nil, case .object(let arguments) = args else { return [] }
        return Set(
            [NameKey.model, .from, .published].compactMap { key in
                if case .string(let name)? = arguments[key.rawValue] { name } else { nil }
            })
    }

    /// One of `count` equal parts of a sorted list, `index` from 1.
    public struct Shard: Codable, Sendable, Equatable {
        public var index: Int
        public var count: Int

        public init(index: Int, count: Int) {
            self.index = index
            self.count = count
        }

        /// The positions of this part in a list of so many.
        public func range(of total: Int) -> Range<Int> {
            total * (index - 1) / count..<total * index / count
        }
    }

    public init(
        job: Int64, attempt: Int, kind: Kind, args: JSONValue, input: String?,
        excluded: [String] = [], work: String, previous: String?, roots: Roots, threads: Int,
        shard: Shard? = nil, parts: [String]? = nil
    ) {
        self.job = job
        self.attempt = attempt
        self.kind = kind
        self.args = args
        self.input = input
        self.excluded = excluded
        self.work = work
        self.previous = previous
        self.roots = roots
        self.threads = threads
        self.shard = shard
        self.parts = parts
    }
}
