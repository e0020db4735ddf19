public import Logging
public import ServiceLifecycle

/// Watches `incoming/` and hands complete, inspected folders to the registrar, each once. Ends at a graceful shutdown.
public actor SpoolIntake: Service {
    /// Nothing is touched before `run()`; call `SpoolStore.reconcile` first.
    public init(
        store: SpoolStore, configuration: SpoolConfiguration, registrar: any FolderRegistrar, logger: Logger
    ) {
    }

    public func run() async throws {}
}
