import Logging

@testable import Spool

/// Tests of the whole intake: real folders, real inotify, a record in the place of the queue.
protocol IntakeSuite {
    var scratch: ScratchFolder { get }
    var registrar: RecordingRegistrar { get }
    /// Its root is `spool` in the scratch folder.
    var store: SpoolStore { get }
}

extension IntakeSuite {
    /// Times are short, so that a test ends soon.
    static func patient(quiet: Duration? = .milliseconds(300)) -> SpoolConfiguration {
        var configuration = SpoolConfiguration()
        configuration.quietPeriod = quiet
        configuration.settlePeriod = .milliseconds(50)
        configuration.rescanInterval = .seconds(1)
        configuration.pollInterval = .milliseconds(100)
        configuration.minimumFreeBytes = 0
        return configuration
    }

    func withIntake(
        _ configuration: SpoolConfiguration, registrar: RecordingRegistrar? = nil,
        _ body: (RecordingRegistrar) async throws -> Void
    ) async throws {
        let registrar = registrar ?? self.registrar
        let logger = Logger(label: "intake") { _ in RecordingLog(registrar) }
        let intake = SpoolIntake(store: store, configuration: configuration, registrar: registrar, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await intake.run() }
            try await body(registrar)
            group.cancelAll()
        }
    }
}
