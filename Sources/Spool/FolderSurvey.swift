internal import Glibc

/// One look at a dropped folder: enough to tell whether it changed, whether it is complete and whether it is fit.
struct FolderSurvey: Equatable, Sendable {
    /// Equal for two looks between which nothing was added, removed, renamed, resized or rewritten. Compares within
    /// one process only.
    var fingerprint = 0
    /// Of the folder itself (see `DropIdentity`).
    var changed: Int64 = 0
    /// User number.
    var owner: UInt32 = 0
    /// Plain files but the control files, and their sizes.
    var files = 0
    var bytes: Int64 = 0
    /// Time of change, in nanoseconds, of the control files at the top and of the newest other file.
    var readyChanged: Int64?
    var manifestChanged: Int64?
    var newestData = Int64.min
    var hasSpecification = false
    /// The first `job.yaml` below the top, where nobody reads it.
    var misplacedSpecification: [UInt8]?
    /// The first thing, in the order of names, for which the folder cannot be taken.
    var refusal: Refusal?

    /// The kernel's clock for files ticks every few milliseconds, so that "after" may read as "at the same time".
    var readyCameLast: Bool {
        guard let readyChanged else { return false }
        return readyChanged >= newestData && readyChanged >= manifestChanged ?? .min
    }

    var manifestCameLast: Bool {
        guard let manifestChanged else { return false }
        return manifestChanged >= newestData
    }

    init() {}

    /// Of a thing that cannot be walked through: it changes when its own status does.
    init(status: FileStatus) {
        changed = status.changed
        owner = status.owner
        files = 1
        mix([], status)
    }

    /// Of an archive, with the files beside it that speak about it.
    init(archive name: EntryName, status: FileStatus, in incoming: FolderHandle, limits: FolderLimits) throws {
        self.init(status: status)
        newestData = status.changed
        bytes = status.size
        if bytes > limits.bytes { refuse(.tooLarge(limits.bytes)) }
        func look(at ending: String) throws -> Int64? {
            let companion = ArchiveFile.companion(ending, of: name)
            guard let status = try incoming.status(of: companion), status.sort == .file, status.links == 1 else {
                return nil
            }
            mix(companion.bytes, status)
            return status.changed
        }
        readyChanged = try look(at: ArchiveFile.ready)
        manifestChanged = try look(at: ArchiveFile.checksum)
    }

    /// Walks the folder. `enter` is given each open folder, for the watches.
    static func take(
        of folder: FolderHandle, limits: FolderLimits, enter: (FolderHandle) throws -> Void = { _ in }
    ) throws -> FolderSurvey {
        var survey = FolderSurvey()
        let top = try folder.status()
        survey.changed = top.changed
        survey.owner = top.owner
        survey.mix([], top)
        let walk = FolderWalk(maximumDepth: limits.depth, maximumEntries: limits.entries)
        try walk.run(in: folder, enter: enter) { path, obstacle in
            survey.refuse(.obstacle(obstacle, at: path, limits: limits))
            if case .tooManyEntries = obstacle { return .stop }
            return .goOn
        } visit: { entry in
            survey.mix(entry.path, entry.status)
            survey.judge(entry)
            survey.count(entry)
            if survey.bytes > limits.bytes {
                survey.refuse(.tooLarge(limits.bytes))
                return .stop
            }
            return .goOn
        }
        return survey
    }

    private static let specification = EntryName(ControlFile.specification)

    private mutating func count(_ entry: FolderWalk.Entry) {
        guard entry.status.sort == .file else { return }
        let time = entry.status.changed
        if entry.isAtTop {
            switch String(decoding: entry.name.bytes, as: UTF8.self) {
            case ControlFile.ready:
                readyChanged = time
                return
            case ControlFile.manifest:
                manifestChanged = time
                return
            case ControlFile.specification:
                hasSpecification = true
                newestData = max(newestData, time)
                return
            default: break
            }
        } else if misplacedSpecification == nil, entry.name == Self.specification, !entry.isHidden {
            misplacedSpecification = entry.path
        }
        newestData = max(newestData, time)
        files += 1
        bytes += entry.status.size
    }

    private mutating func judge(_ entry: FolderWalk.Entry) {
        if refusal != nil { return }
        let path = EntryName.escape(entry.path)
        switch entry.status.sort {
        case .folder: break
        case .symbolicLink: refuse(.symbolicLink(path))
        case .special(let noun): refuse(.specialFile(path, noun))
        case .file:
            if entry.status.links > 1 {
                refuse(.hardLink(path, entry.status.links))
            } else if !entry.folder.allows(R_OK, on: entry.name) {
                refuse(.unreadable(path, "the daemon may not read it"))
            }
        }
    }

    private mutating func refuse(_ refusal: Refusal) {
        if self.refusal == nil { self.refusal = refusal }
    }

    /// A sum, so that the order in which the entries are met does not matter.
    private mutating func mix(_ path: [UInt8], _ status: FileStatus) {
        var hasher = Hasher()
        hasher.combine(path)
        hasher.combine(status.inode)
        hasher.combine(status.size)
        hasher.combine(status.modified)
        hasher.combine(status.changed)
        fingerprint &+= hasher.finalize()
    }
}
