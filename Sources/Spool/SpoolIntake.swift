internal import Dispatch
internal import Glibc
public import Logging
public import ServiceLifecycle
internal import Support

/// Watches `incoming/` and hands complete, inspected folders to the registrar, each once. Ends at a graceful shutdown or
/// when its task is cancelled; a folder in the middle of its acceptance is finished first, what is unpacked or verified is
/// given up.
///
/// Decisions are `IntakePlan`'s and `FolderMachine`'s; this shell looks, moves and waits. It works on a queue of its own.
public actor SpoolIntake: Service {
    let folders: SpoolFolders
    let configuration: SpoolConfiguration
    let registrar: any FolderRegistrar
    let logger: Logger

    var plan: IntakePlan
    /// Accepted and moved, but `registrar.place` failed: tried again at every rescan.
    var unplaced: [Int64: String] = [:]
    var isShortOfSpace = false
    /// Refusals that could not be carried out are logged once.
    var stuck: Set<DropIdentity> = []
    /// Archives that did not fit: the bytes that were free before them, and when they are tried again anyway.
    var tooLarge: [DropIdentity: (free: Int64, retry: ContinuousClock.Instant)] = [:]
    /// Entries of `incoming/` that are no kind of job; each is logged once.
    private var strangers: Set<EntryName> = []

    /// Archives that are taken apart.
    var unpacking = BackgroundWork<DropIdentity>(label: "spool.unpack", width: 1)
    /// Drops whose checksums are verified: two, so that a terabyte does not hold up all others that have some.
    var verifying = BackgroundWork<IntakePlan.State>(label: "spool.verify", width: 2)

    private var watch: FolderWatch?
    private var table = WatchTable()
    /// Why the last rescan failed; told once, however often it is tried again.
    private var lookError: String?
    /// Since the last rescan.
    private var lacksWatches = false
    private var toldOfMissingWatches = false
    private var nextRescan = ContinuousClock.now
    private let wakes: AsyncStream<Void>
    let wake: AsyncStream<Void>.Continuation
    /// Made by `run()`: a source of Dispatch that was never activated may not be let go of.
    private var timer: (any DispatchSourceTimer)?
    private nonisolated let executor = BlockingExecutor(label: "spool.intake")

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Nothing is touched before `run()`; call `SpoolStore.reconcile` first.
    public init(
        store: SpoolStore, configuration: SpoolConfiguration, registrar: any FolderRegistrar, logger: Logger
    ) {
        folders = store.folders
        self.configuration = configuration
        self.registrar = registrar
        self.logger = logger
        plan = IntakePlan(patience: .init(quiet: configuration.quietPeriod, settle: configuration.settlePeriod))
        (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    public func run() async throws {
        startWatching()
        let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "spool.timer"))
        timer.setEventHandler { [wake] in wake.yield() }
        timer.activate()
        self.timer = timer
        defer {
            timer.cancel()
            self.timer = nil
            watch = nil
        }
        wake.yield()
        await takeFolders()
        for task in unpacking.cancelAll() + verifying.cancelAll() { await task.value }
    }

    private func takeFolders() async {
        for await _ in wakes.cancelOnGracefulShutdown() {
            takeHints()
            if ContinuousClock.now >= nextRescan { await rescan() }
            for (key, action) in plan.takeDue(at: .now) {
                if Task.isCancelled || Task.isShuttingDownGracefully { return }
                await perform(action, on: key)
            }
            schedule()
        }
    }

    private func startWatching() {
        guard configuration.watchesFileSystem else { return }
        do {
            watch = try FolderWatch { [wake] in wake.yield() }
        } catch {
            logger.warning("no watches, the spool is polled", metadata: ["error": "\(error)"])
        }
    }

    private func schedule() {
        let next = min(plan.nextWake ?? nextRescan, nextRescan)
        // Steps that fall due within the same few milliseconds are taken together.
        let wait = max(ContinuousClock.now.duration(to: next), .milliseconds(5))
        let nanoseconds = wait.components.seconds * 1_000_000_000 + wait.components.attoseconds / 1_000_000_000
        timer?.schedule(deadline: .now() + .nanoseconds(Int(nanoseconds)))
    }

    // MARK: - Looking

    private func takeHints() {
        guard let watch else { return }
        let (events, overflow) = watch.take()
        let now = ContinuousClock.now
        for event in events { apply(event, at: now) }
        if overflow { nextRescan = now }
    }

    private func apply(_ event: FolderWatch.Event, at now: ContinuousClock.Instant) {
        if event.has(IN_IGNORED) {
            // A root folder was removed or unmounted: the rescan makes it again.
            if let subject = table[event.watch], subject == .tmp || isKind(subject) { nextRescan = now }
            table.forget(event.watch)
            return
        }
        switch table[event.watch] {
        case .tmp:
            if event.has(IN_MOVED_FROM) { plan.leftTmp(cookie: event.cookie) }
        case .kind(let kind):
            guard let name = event.name, !name.isHidden else { return }
            let key = IntakePlan.Key(kind: kind, name: name)
            if event.has(IN_MOVED_TO) {
                plan.renamedIn(key, cookie: event.cookie, at: now)
            } else if event.has(IN_MOVED_FROM) || event.has(IN_DELETE) {
                forget(key)
            } else {
                plan.found(key, identity: nil, at: now)
                plan.handle(.touched, for: key, at: now)
            }
        case .drop(let key): plan.handle(.touched, for: key, at: now)
        case nil: break
        }
    }

    private func isKind(_ subject: WatchTable.Subject) -> Bool {
        if case .kind = subject { true } else { false }
    }

    /// Looks at everything, whatever the hints said.
    private func rescan() async {
        let now = ContinuousClock.now
        if !lacksWatches { toldOfMissingWatches = false }
        lacksWatches = false
        do {
            try folders.repairLayout()
            try nameStrangers()
            let inTmp = try lookAtTmp()
            plan.sawInTmp(inTmp)
            var present: Set<IntakePlan.Key> = []
            for kind in folders.layout.kinds {
                let folder = try FolderHandle(path: folders.layout.incoming(kind))
                addWatch(folder, for: .kind(kind))
                for name in try folder.entries() ?? [] where !name.isHidden {
                    let key = IntakePlan.Key(kind: kind, name: name)
                    present.insert(key)
                    plan.found(key, identity: try tmpFolder(name, in: folder), at: now)
                }
            }
            plan.forgetTmp(but: inTmp)
            for key in plan.keys.subtracting(present) { forget(key) }
            plan.rescanAll(at: now)
            lookError = nil
        } catch {
            // What was known of the folders says nothing of those in another spool, or none.
            if error is SpoolError { for key in plan.keys { forget(key) } }
            if "\(error)" != lookError {
                logger.error("could not look through the spool", metadata: ["error": "\(error)"])
            }
            lookError = "\(error)"
        }
        await placeLeftovers()
        logger.debug("looked through the spool", metadata: ["error": "\(lookError ?? "none")"])
        let isPolled = watch == nil || lacksWatches
        nextRescan = now + (isPolled ? configuration.pollInterval : configuration.rescanInterval)
    }

    /// What lies beside the folders of the kinds is seen by nobody; whoever put it there should hear of it.
    private func nameStrangers() throws {
        let known = folders.layout.kinds.map(\.rawValue)
        let names = try FolderHandle(path: "\(folders.layout.root)/incoming").entries() ?? []
        let found = Set(names.filter { !$0.isHidden && !known.contains($0.escaped) })
        for name in found.subtracting(strangers).sorted(by: { $0.escaped < $1.escaped }) {
            logger.warning(
                "'incoming/\(name)' is not looked at: wanted are folders dropped into \(known.map { "incoming/\($0)" }.joined(separator: ", "))"
            )
        }
        strangers = found
    }

    private func lookAtTmp() throws -> Set<IntakePlan.TmpFolder> {
        let tmp = try FolderHandle(path: folders.layout.tmp)
        addWatch(tmp, for: .tmp)
        var found: Set<IntakePlan.TmpFolder> = []
        for name in try tmp.entries() ?? [] {
            if let folder = try tmpFolder(name, in: tmp) { found.insert(folder) }
        }
        return found
    }

    private func tmpFolder(_ name: EntryName, in folder: FolderHandle) throws -> IntakePlan.TmpFolder? {
        guard let status = try folder.status(of: name), let birth = folder.birth(of: name) else {
            return nil
        }
        return IntakePlan.TmpFolder(inode: status.inode, birth: birth)
    }

    func addWatch(_ folder: FolderHandle, for subject: WatchTable.Subject) {
        guard let watch else { return }
        do {
            if let former = table.set(try watch.add(folder), to: subject) { watch.remove(former) }
        } catch {
            if !toldOfMissingWatches {
                logger.warning(
                    "no more watches, the spool is polled; raise fs.inotify.max_user_watches",
                    metadata: ["error": "\(error)"])
            }
            toldOfMissingWatches = true
            lacksWatches = true
            nextRescan = min(nextRescan, ContinuousClock.now + configuration.pollInterval)
        }
    }

    /// A folder that went away or was taken: what it left behind in the tables is removed.
    func forget(_ key: IntakePlan.Key) {
        plan.vanished(key)
        verifying.cancel { $0.key == key }
        tooLarge = tooLarge.filter { $0.key.kind != key.kind || $0.key.name != key.name }
        for number in table.release(key) { watch?.remove(number) }
    }
}
