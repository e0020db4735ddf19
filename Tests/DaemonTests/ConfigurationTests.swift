import Logging
import Runs
import Testing

@testable import Daemon

@Suite struct ConfigurationTests {
    func load(
        _ yaml: String?, environment: [String: String] = [:], flags: [String: String] = [:]
    ) async throws -> DaemonConfiguration {
        let scratch = try Scratch()
        let file = try yaml.map { try scratch.write($0, to: "daemon.yaml") }
        return try await DaemonConfiguration.load(file: file, environment: environment, flags: flags)
    }

    func mistakes(
        _ yaml: String?, environment: [String: String] = [:], flags: [String: String] = [:]
    ) async throws -> [String] {
        do {
            _ = try await load(yaml, environment: environment, flags: flags)
            return []
        } catch let error as ConfigurationError {
            return error.mistakes.map(\.description)
        }
    }

    @Test("with only a state folder everything else has its usual value")
    func usual() async throws {
        let configuration = try await load(nil, flags: ["state": "/srv/net/"])
        #expect(configuration == DaemonConfiguration(state: "/srv/net"))
        #expect(configuration.spool.root == "/srv/net/spool")
        #expect(configuration.queue.fence == .seconds(20))
        #expect(configuration.database == nil)
    }

    @Test("a section whose keys are all comments, and the name of a set of instructions, are no mistakes")
    func emptySection() async throws {
        let environment = ["SHUFFLENETD_INSTRUCTION_SET": "portable"]
        #expect(
            try await load("spool:\n# root: /drop\nstate: /srv/net", environment: environment)
                == DaemonConfiguration(state: "/srv/net"))
    }

    @Test("a file sets everything it names")
    func file() async throws {
        let configuration = try await load(
            """
            state: /srv/net
            database: host=db dbname=jobs
            workers: 4
            threads: 8
            grace: 2min
            log_level: debug
            spool: {root: /drop, quiet_period: 5s, poll: 500ms, min_free: 2GiB}
            roots:
              datasets: /data
              models: /models
            queue: {heartbeat: 1s, fence: 4s, dead: 6s, poll: 0.5}
            defaults:
              train: {model_size: 0.5x, epochs: 3, drop_remainder: true}
              classify: {model: flowers}
            """)
        #expect(configuration.database == "host=db dbname=jobs")
        #expect(configuration.workers == 4)
        #expect(configuration.threadsPerWorker == 2)
        #expect(configuration.grace == .seconds(120))
        #expect(configuration.logLevel == .debug)
        #expect(
            configuration.spool
                == .init(
                    root: "/drop", quietPeriod: .seconds(5), poll: .milliseconds(500), minimumFree: 2 << 30))
        #expect(configuration.roots.datasets == "/data")
        #expect(configuration.roots.results == "/srv/net/results")
        #expect(configuration.queue.poll == .milliseconds(500))
        #expect(
            configuration.defaults[.train]
                == ["model_size": .string("0.5x"), "epochs": .number(3), "drop_remainder": .bool(true)])
        #expect(configuration.defaults[.classify] == ["model": .string("flowers")])
    }

    @Test("flags stand above the environment, and the environment above the file")
    func precedence() async throws {
        let environment = ["SHUFFLENETD_WORKERS": "3", "SHUFFLENETD_SPOOL_QUIET_PERIOD": "7s", "HOME": "/root"]
        let configuration = try await load(
            "state: /a\nworkers: 2\nthreads: 5\nspool: {quiet_period: 1s}", environment: environment,
            flags: ["workers": "4"])
        #expect(configuration.workers == 4)
        #expect(configuration.threads == 5)
        #expect(configuration.spool.quietPeriod == .seconds(7))
    }

    @Test("three mistakes in a file are reported together")
    func threeMistakes() async throws {
        let found = try await mistakes(
            "state: /srv/net\nworkers: many\nspool: {quiet_period: soon}\nworkrs: 2\nlog_level: debug\n")
        #expect(found.count == 3)
        #expect(found.contains { $0.hasSuffix("key workers: found 'many', wanted a whole number from 1 to 1024") })
        #expect(found.contains { $0.contains("key spool.quiet_period: found 'soon', wanted a duration") })
        #expect(found.contains { $0.hasSuffix("key workrs: there is no such setting, did you mean workers?") })
    }

    @Test("mistakes of file, environment and flags are reported together, each with its place")
    func places() async throws {
        let found = try await mistakes(
            "threads: [1, 2]", environment: ["SHUFFLENETD_GRACE": "-1s", "SHUFFLENETD_WORKER": "1"],
            flags: ["workers": "0"])
        #expect(found.count == 4)
        #expect(found.contains { $0.contains("key threads: found a list") })
        #expect(found.contains { $0.hasPrefix("the environment's SHUFFLENETD_GRACE: found '-1s'") })
        #expect(found.contains { $0.hasSuffix("did you mean SHUFFLENETD_WORKERS?") })
        #expect(found.contains { $0.hasPrefix("--workers: found '0'") })
    }

    @Test(
        "what could never work is refused",
        arguments: [
            ("retention: {jobs: soon}", "wanted a duration"), ("retention: {results: perhaps}", "wanted true or false"),
            ("queue: {heartbeat: 5s, fence: 40s, dead: 30s}", "each shorter than the next"),
            ("defaults: {trian: {epochs: 1}}", "no such kind of job"),
            ("defaults: {train: {epohs: 1}}", "unknown key \"epohs\""),
            ("workers: 1\ndefaults: {train: {epochs: .inf}}", "line 2: '.inf' is no number"),
            // Texts, as in job.yaml.
            ("defaults: {train: {drop_remainder: yes}}", "\"drop_remainder\" is \"yes\""),
            ("defaults: {train: {epochs: many}}", "\"epochs\" is \"many\""),
            ("defaults: {train: 5}", "found a single value"), ("defaults: 5", "found a single value"),
            ("- a\n- b", "wanted lines such as"), ("a: [", "could not be read"),
            ("roots: {model: /m}", "roots.models?"), ("sppol: {}", "key sppol: there is no such setting"),
            ("spool: {quiet_perod: {}}", "spool.quiet_period?"), ("spool: 3", "wanted keys such as spool.root"),
            ("database: nonsense", "the setting database: is no connection string"),
            ("listen: nonsense", "the setting listen: is no connection string"),
        ])
    func refused(yaml: String, part: String) async throws {
        let found = try await mistakes(yaml, flags: ["state": "/s"])
        #expect(found.contains { $0.contains(part) }, "\(found)")
    }

    @Test("a missing file is a mistake of its own")
    func missing() async throws {
        await #expect(throws: ConfigurationError.self) {
            _ = try await DaemonConfiguration.load(file: "/nowhere/daemon.yaml", environment: [:])
        }
    }

    @Test("an empty file is no mistake")
    func empty() async throws {
        #expect(try await mistakes("# nothing yet\n", flags: ["state": "/s"]) == [])
    }
}
