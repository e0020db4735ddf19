/// Which watch stands for what.
struct WatchTable: Sendable {
    enum Subject: Equatable, Sendable {
        case tmp
        case kind(SpoolKind)
        /// A dropped folder or anything below it.
        case drop(IntakePlan.Key)
    }

    private var subjects: [Int32: Subject] = [:]
    private var watches: [IntakePlan.Key: Set<Int32>] = [:]

    subscript(_ watch: Int32) -> Subject? { subjects[watch] }

    /// Returns the watch of the folder in whose place this one was found, if there was one; the caller removes it, since
    /// that folder is not ours any more.
    mutating func set(_ watch: Int32, to subject: Subject) -> Int32? {
        if case .drop(let key)? = subjects[watch] { watches[key]?.remove(watch) }
        subjects[watch] = subject
        if case .drop(let key) = subject {
            watches[key, default: []].insert(watch)
            return nil
        }
        guard let former = subjects.first(where: { $0.value == subject && $0.key != watch })?.key else { return nil }
        subjects[former] = nil
        return former
    }

    /// The kernel dropped it.
    mutating func forget(_ watch: Int32) {
        if case .drop(let key)? = subjects.removeValue(forKey: watch) { watches[key]?.remove(watch) }
    }

    /// The watches of a folder that is no longer ours to watch; the caller removes them.
    mutating func release(_ key: IntakePlan.Key) -> Set<Int32> {
        let released = watches.removeValue(forKey: key) ?? []
        for watch in released { subjects[watch] = nil }
        return released
    }
}
