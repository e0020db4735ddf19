import Configuration
import Foundation
import KernelSets
import Logging
import Postgres
import Runs
import Spool
import SystemPackage

extension DaemonConfiguration {
    /// Every setting but those under `defaults`, as the keys of the file; the environment spells `spool.quiet_period`
    /// as `SHUFFLENETD_SPOOL_QUIET_PERIOD`, a flag as `--spool-quiet-period`.
    static let knownKeys = [
        "state", "database", "listen", "workers", "threads", "grace", "log_level",
        "spool.root", "spool.quiet_period", "spool.poll", "spool.min_free",
        "spool.max_entries", "spool.max_bytes", "spool.max_depth", "spool.max_unpacked", "spool.max_ratio",
        "roots.datasets", "roots.models", "roots.results", "roots.logs",
        "queue.heartbeat", "queue.dead", "queue.fence", "queue.poll",
        "retention.jobs", "retention.results", "status.folder", "status.interval",
    ]

    /// Reads file, environment and flags, later ones on top.
    ///
    /// - Parameters:
    ///   - file: the YAML file; when nil, `SHUFFLENETD_CONFIG` names it, and without that there is none.
    ///   - environment: the process's environment.
    ///   - flags: settings from the command line by key, for instance `["workers": "2"]`.
    /// - Throws: `ConfigurationError` with every mistake found in all three.
    public static func load(
        file: String?, environment: [String: String], flags: [String: String] = [:]
    ) async throws -> DaemonConfiguration {
        var reader = SettingsReader(sources: [
            .init(
                provider: InMemoryProvider(
                    name: "command line",
                    values: Dictionary(
                        uniqueKeysWithValues: flags.map { key, value in
                            (
                                AbsoluteConfigKey(key.split(separator: ".").map(String.init)),
                                .init(.string(value), isSecret: false)
                            )
                        })),
                place: { "--" + $0.map { $0 == "." || $0 == "_" ? "-" : String($0) }.joined() }),
            .init(
                provider: EnvironmentVariablesProvider(environmentVariables: environment)
                    .prefixKeys(with: "shufflenetd"),
                place: { "the environment's \(variable($0))" }),
        ])

        var document = ConfigurationDocument()
        if let path = file ?? environment["SHUFFLENETD_CONFIG"] {
            let path = absolute(path)
            do {
                document = try ConfigurationDocument(path: path)
                if document.hasKeys {
                    let provider = try await FileProvider<YAMLSnapshot>(filePath: FilePath(path))
                    reader.sources.append(.init(provider: provider, place: { "'\(path)', key \($0)" }))
                }
            } catch {
                reader.note("'\(path)'", "could not be read: \(error); wanted a YAML file")
            }
            for key in document.keys where !key.hasPrefix("defaults.") && !knownKeys.contains(key) {
                let inside = knownKeys.filter { $0.hasPrefix(key + ".") }
                // A section whose keys are all comments says nothing.
                if !inside.isEmpty && document.emptyKeys.contains(key) { continue }
                reader.note(
                    "'\(path)', key \(key)",
                    inside.isEmpty
                        ? unknown(key, among: knownKeys + ["defaults"])
                        : "found a single value, wanted keys such as \(inside[0])")
            }
        }
        let variables = knownKeys.map(variable) + ["SHUFFLENETD_CONFIG", InstructionSet.environmentVariable]
        for name in environment.keys.sorted() where name.hasPrefix("SHUFFLENETD_") && !variables.contains(name) {
            reader.note("the environment's \(name)", unknown(name, among: variables))
        }

        let state = reader.value("state", .path) ?? usualState(environment: environment)
        var configuration = DaemonConfiguration(state: state)
        configuration.database = reader.value("database", .text)
        configuration.listen = reader.value("listen", .text)
        for (key, text) in [("database", configuration.database), ("listen", configuration.listen)] {
            guard let text, (try? ConnectionSettings(parsing: text)) == nil else { continue }
            // It may hold a password, so it is not repeated.
            reader.note(
                "the setting \(key)",
                "is no connection string; wanted postgresql://user@host:port/database, or host=… dbname=…")
        }
        reader.read("workers", .whole(1...1024), into: &configuration.workers)
        reader.read("threads", .whole(1...4096), into: &configuration.threads)
        reader.read("grace", .duration(.milliseconds(100)...Duration.seconds(3600)), into: &configuration.grace)
        reader.read("log_level", .logLevel, into: &configuration.logLevel)
        readSpool(&reader, into: &configuration.spool)
        reader.read("roots.datasets", .path, into: &configuration.roots.datasets)
        reader.read("roots.models", .path, into: &configuration.roots.models)
        reader.read("roots.results", .path, into: &configuration.roots.results)
        reader.read("roots.logs", .path, into: &configuration.roots.logs)
        readQueue(&reader, into: &configuration.queue)
        if let age = reader.value("retention.jobs", .duration(.zero...Duration.seconds(36500 * 86400))) {
            configuration.retention.jobs = age == .zero ? nil : age
        }
        reader.read("retention.results", .flag, into: &configuration.retention.results)
        reader.read("status.folder", .path, into: &configuration.status.folder)
        let writing = SettingParser.duration(.zero...Duration.seconds(3600))
        reader.read("status.interval", writing, into: &configuration.status.interval)
        configuration.defaults = document.defaults
        reader.mistakes += document.mistakes
        for kind in JobSpecification.Kind.allCases {
            for mistake in KnownArguments.mistakes(in: document.defaults[kind] ?? [:], of: kind) {
                reader.note("the defaults of \(kind.rawValue) jobs", mistake)
            }
        }
        if !reader.mistakes.isEmpty { throw ConfigurationError(mistakes: reader.mistakes) }
        return configuration
    }

    private static func readSpool(_ reader: inout SettingsReader, into spool: inout SpoolSettings) {
        reader.read("spool.root", .path, into: &spool.root)
        if let quiet = reader.value("spool.quiet_period", .duration(.zero...Duration.seconds(86400))) {
            spool.quietPeriod = quiet == .zero ? nil : quiet
        }
        reader.read("spool.poll", .duration(.milliseconds(50)...Duration.seconds(3600)), into: &spool.poll)
        reader.read("spool.min_free", .byteCount, into: &spool.minimumFree)
        reader.read("spool.max_entries", .whole(1...100_000_000), into: &spool.limits.entries)
        reader.read("spool.max_bytes", .byteCount, into: &spool.limits.bytes)
        reader.read("spool.max_depth", .whole(0...200), into: &spool.limits.depth)
        reader.read("spool.max_unpacked", .byteCount, into: &spool.limits.unpackedBytes)
        reader.read("spool.max_ratio", .whole(1...1_000_000), into: &spool.limits.unpackedRatio)
    }

    private static func readQueue(_ reader: inout SettingsReader, into queue: inout QueueTimings) {
        let range = Duration.milliseconds(20)...Duration.seconds(3600)
        let before = reader.mistakes.count
        reader.read("queue.heartbeat", .duration(range), into: &queue.heartbeat)
        reader.read("queue.dead", .duration(range), into: &queue.dead)
        reader.read("queue.fence", .duration(range), into: &queue.fence)
        reader.read("queue.poll", .duration(range), into: &queue.poll)
        if reader.mistakes.count > before { return }
        // A holder must have stopped before anybody else may start: this order is what makes publication exactly once.
        if !(queue.heartbeat < queue.fence && queue.fence < queue.dead) {
            reader.note(
                "the keys queue.heartbeat, queue.fence and queue.dead",
                "found \(queue.heartbeat), \(queue.fence) and \(queue.dead), wanted each shorter than the next")
        }
    }

    private static func variable(_ key: String) -> String {
        "SHUFFLENETD_" + key.uppercased().map { $0 == "." ? "_" : String($0) }.joined()
    }

    private static func unknown(_ name: String, among known: [String]) -> String {
        if let near = NearestName.of(name, in: known) { return "there is no such setting, did you mean \(near)?" }
        return "there is no such setting, known are \(known.joined(separator: ", "))"
    }
}
