internal import Glibc
internal import Logging
internal import Support

extension SpoolIntake {
    func isArchive(_ key: IntakePlan.Key, _ status: FileStatus) -> Bool {
        status.sort == .file && ArchiveFile.isNamed(by: key.name)
    }

    /// Whether an entry is a file beside an archive that only says something about it; then the archive is looked at.
    func speaksOfArchive(_ key: IntakePlan.Key, in kindFolder: FolderHandle) throws -> Bool {
        guard let archive = ArchiveFile.archive(ofCompanion: key.name),
            try kindFolder.status(of: archive)?.isFolder == false
        else { return false }
        let now = ContinuousClock.now
        let other = IntakePlan.Key(kind: key.kind, name: archive)
        plan.found(other, identity: nil, at: now)
        plan.handle(.rescan, for: other, at: now)
        return true
    }

    /// `<archive>.sha256` against the archive. Throws the disagreement as a `Refusal`.
    func verifyChecksum(of archive: EntryName, in kindFolder: FolderHandle) throws {
        let companion = ArchiveFile.companion(ArchiveFile.checksum, of: archive)
        let text = try FolderInspection.read(
            companion, in: kindFolder, limit: configuration.limits.specificationBytes
        ) { size in .archiveChecksum(archive, "it has \(size) bytes") }
        let items: [[UInt8]: FolderManifest.Item]
        do throws(Refusal) {
            items = try FolderManifest(text).items
        } catch {
            throw Refusal.archiveChecksum(archive, "it does not hold '<64 hexadecimal digits>  <path>'")
        }
        guard let item = items.first(where: { $0.key.split(separator: UInt8(ascii: "/")).last == archive.bytes[...] })
        else { throw Refusal.archiveChecksum(archive, "it does not list the archive") }
        guard try FolderManifest.digest(of: archive, in: kindFolder) == item.value.digest else {
            throw Refusal.archiveChecksum(archive, "it lists another SHA-256")
        }
    }

    /// Begins to take a complete archive apart; `finish` goes on. Throws `Refusal` for what can be said beforehand.
    func unpack(
        _ key: IntakePlan.Key, _ drop: DropIdentity, _ status: FileStatus, sign: CompletionSign,
        in kindFolder: FolderHandle
    ) throws {
        guard unpacking == nil else {
            let now = ContinuousClock.now
            return plan.handle(.postponed(until: now + configuration.settlePeriod), for: key, at: now)
        }
        let survey = try FolderSurvey(archive: key.name, status: status, in: kindFolder, limits: configuration.limits)
        guard sign == .renamed || survey.fingerprint == plan.fingerprint(of: key) else {
            return plan.handle(.touched, for: key, at: .now)
        }
        if let refusal = survey.refusal { throw refusal }
        if status.links > 1 { throw Refusal.hardLink(key.name.escaped, status.links) }
        guard kindFolder.allows(R_OK, on: key.name) else {
            throw Refusal.unreadable(key.name.escaped, "the daemon may not read it")
        }
        if survey.manifestChanged != nil, sign != .manifest { try verifyChecksum(of: key.name, in: kindFolder) }
        guard let draft = try folders.makeDraft(for: drop) else { return postpone(key) }
        let archive = try kindFolder.openFile(key.name)
        let unpacker = Unpacker(
            isolation: configuration.unpacking,
            limits: ArchiveLimits(configuration.limits, minimumFree: configuration.minimumFreeBytes))
        let task = Task {
            let outcome = await unpacker.unpack(archive: archive, into: draft.holder.descriptor)
            close(archive)
            await finish(key, drop, sign, draft, outcome)
        }
        unpacking = (key, task)
    }

    private func finish(
        _ key: IntakePlan.Key, _ drop: DropIdentity, _ sign: CompletionSign, _ draft: ArchiveDraft,
        _ outcome: UnpackOutcome
    ) async {
        defer {
            unpacking = nil
            wake.yield()
        }
        do {
            switch outcome {
            case .unpacked: try await takeUnpacked(key, drop, sign, draft)
            case .refused(let reason, let message, let wanted):
                let refusal = Refusal(reason: reason, message: message, wanted: wanted)
                try settle(key, drop, refusal)
            case .outOfSpace:
                logger.error("an archive is not unpacked for want of space", metadata: ["archive": "\(drop.name)"])
                postpone(key)
            case .failed(let sentence):
                if !Task.isCancelled {
                    logger.error(
                        "could not unpack an archive, it is tried again",
                        metadata: ["archive": "\(drop.name)", "error": "\(sentence)"])
                }
                postpone(key)
            }
        } catch {
            logger.error(
                "could not take an archive, it is tried again",
                metadata: ["kind": "\(key.kind)", "archive": "\(key.name)", "error": "\(error)"])
            postpone(key)
        }
        do {
            try folders.remove(draft)
        } catch {
            logger.error("could not remove what was unpacked", metadata: ["error": "\(error)"])
        }
    }

    private func takeUnpacked(
        _ key: IntakePlan.Key, _ drop: DropIdentity, _ sign: CompletionSign, _ draft: ArchiveDraft
    ) async throws {
        let kindFolder = try FolderHandle(path: folders.layout.incoming(key.kind))
        guard let status = try kindFolder.status(of: key.name) else { return forget(key) }
        // Whatever was unpacked is void when the archive changed meanwhile.
        guard DropIdentity(kind: key.kind, name: key.name, status: status) == drop else {
            return plan.handle(.touched, for: key, at: .now)
        }
        do {
            let top = try draft.top()
            var inspection = try FolderInspection.inspect(
                top.name, in: top.holder, limits: configuration.limits, label: key.name.escaped)
            inspection.survey.owner = status.owner
            try await take(drop, inspection, sign, unpacked: top)
            forget(key)
        } catch let refusal as Refusal {
            try settle(key, drop, refusal)
        }
    }

    private func settle(_ key: IntakePlan.Key, _ drop: DropIdentity, _ refusal: Refusal) throws {
        if try refuse(drop, isFolder: false, refusal) { forget(key) } else { postpone(key) }
    }
}
