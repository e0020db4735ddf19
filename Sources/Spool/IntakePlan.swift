/// All dropped folders and when each is to be looked at. A value, like the machines in it.
struct IntakePlan: Sendable {
    typealias Instant = ContinuousClock.Instant

    struct Key: Hashable, Sendable {
        let kind: SpoolKind
        let name: EntryName
    }

    /// A folder that was seen in `tmp/`. The time it was made goes with the inode, since the kernel gives the number of
    /// a removed folder to the next one.
    struct TmpFolder: Hashable, Sendable {
        let inode: UInt64
        let birth: Int64
    }

    /// A drop as one survey saw it.
    struct State: Hashable, Sendable {
        let key: Key
        let fingerprint: Int
    }

    /// What the checksums that came with a drop say of one state of it.
    enum Verdict: Equatable, Sendable {
        case agree
        case disagree(Refusal)
    }

    private struct Drop {
        var machine: FolderMachine
        var verdict: (fingerprint: Int, verdict: Verdict)?
        /// `nil` while the shell is busy with it.
        var wakeAt: Instant?
        var action: FolderMachine.Action?
    }

    let patience: FolderMachine.Patience
    private var drops: [Key: Drop] = [:]
    private var departures: [UInt32] = []
    private var tmpFolders: Set<TmpFolder> = []

    init(patience: FolderMachine.Patience) {
        self.patience = patience
    }

    var keys: Set<Key> { Set(drops.keys) }

    /// The state of a folder on which the last decision stood.
    func fingerprint(of key: Key) -> Int? { drops[key]?.machine.last?.fingerprint }

    /// What was found out about the drop in this very state. It outlives an acceptance that has to be tried again, so that
    /// nothing is read twice.
    func verdict(on state: State) -> Verdict? {
        guard let (fingerprint, verdict) = drops[state.key]?.verdict, fingerprint == state.fingerprint else {
            return nil
        }
        return verdict
    }

    mutating func note(_ verdict: Verdict, on state: State) {
        drops[state.key]?.verdict = (state.fingerprint, verdict)
    }

    /// The next time at which `takeDue` has something.
    var nextWake: Instant? {
        drops.values.lazy.compactMap(\.wakeAt).min()
    }

    // MARK: - What is seen

    /// An entry of `incoming/<kind>`; `identity` is given for folders where the file system tells when they were made.
    mutating func found(_ key: Key, identity: TmpFolder?, at now: Instant) {
        let isNew = drops[key] == nil
        if isNew {
            drops[key] = Drop(machine: FolderMachine(patience: patience, seenAt: now), wakeAt: now, action: .survey)
        }
        // Only for new ones: a folder that was seen in incoming/ before did not just come from tmp/.
        if isNew, let identity, tmpFolders.contains(identity) { handle(.renamedIn, for: key, at: now) }
    }

    /// What lies in `tmp/`, listed BEFORE `incoming/`. Those of the list before are kept one round longer by the caller
    /// calling `forgetTmp(but:)` after it has listed `incoming/`.
    mutating func sawInTmp(_ folders: Set<TmpFolder>) {
        tmpFolders.formUnion(folders)
    }

    mutating func forgetTmp(but folders: Set<TmpFolder>) {
        tmpFolders = folders
    }

    /// inotify: a folder was renamed out of `tmp/`.
    mutating func leftTmp(cookie: UInt32) {
        departures.append(cookie)
        if departures.count > 1024 { departures.removeFirst(512) }
    }

    /// inotify: an entry was renamed into `incoming/<kind>`. It is complete only when it came from `tmp/`: a new folder
    /// that a person renames in place, or one that a copying program renames from its temporary name, is not.
    mutating func renamedIn(_ key: Key, cookie: UInt32, at now: Instant) {
        // Whatever had this name before went away without being seen.
        drops[key] = nil
        found(key, identity: nil, at: now)
        guard let index = departures.firstIndex(of: cookie) else { return }
        departures.remove(at: index)
        handle(.renamedIn, for: key, at: now)
    }

    mutating func vanished(_ key: Key) {
        drops[key] = nil
    }

    mutating func handle(_ event: FolderMachine.Event, for key: Key, at now: Instant) {
        guard var drop = drops[key] else { return }
        let action = drop.machine.handle(event, at: now)
        switch action {
        case .wait(let until):
            drop.wakeAt = until
            drop.action = nil
        case .survey, .verifyManifest, .accept:
            drop.wakeAt = now
            drop.action = action
        }
        drops[key] = drop
    }

    mutating func rescanAll(at now: Instant) {
        for key in drops.keys { handle(.rescan, for: key, at: now) }
    }

    // MARK: - What is to be done

    /// The steps that are due. Each is handed out once; its outcome comes back through `handle` or `vanished`.
    mutating func takeDue(at now: Instant) -> [(key: Key, action: FolderMachine.Action)] {
        var due: [(key: Key, action: FolderMachine.Action)] = []
        for (key, drop) in drops {
            guard let wakeAt = drop.wakeAt, wakeAt <= now else { continue }
            if drop.action == nil { handle(.rescan, for: key, at: now) }
            guard let action = drops[key]?.action else { continue }
            drops[key]?.wakeAt = nil
            drops[key]?.action = nil
            due.append((key, action))
        }
        return due.sorted { $0.key.name.bytes.lexicographicallyPrecedes($1.key.name.bytes) }
    }
}
