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

    /// Gives a complete archive to be taken apart. Throws `Refusal` for what can be said beforehand.
    func unpack(
        _ key: IntakePlan.Key, _ drop: DropIdentity, _ status: FileStatus, sign: CompletionSign,
        in kindFolder: FolderHandle
    ) throws {
        if unpacking.includes(drop) { return }
        let survey = try FolderSurvey(archive: key.name, status: status, in: kindFolder, limits: configuration.limits)
        guard sign == .renamed || survey.fingerprint == plan.fingerprint(of: key) else {
            return plan.handle(.touched, for: key, at: .now)
        }
        if let refusal = survey.refusal { throw refusal }
        if status.links > 1 { throw Refusal.hardLink(key.name.escaped, status.links) }
        guard kindFolder.allows(R_OK, on: key.name) else {
            throw Refusal.unreadable(key.name.escaped, "the daemon may not read it")
        }
        guard try checksumsAgree(with: survey, of: key) else { return }
        guard try mayFit(drop) else {
            logger.debug("an archive waits for more space", metadata: ["archive": "\(drop.name)"])
            return postpone(key)
        }
        unpacking.add(drop) { executor in
            Task(executorPreference: executor) { await self.takeApart(key, drop, sign) }
        }
    }

    /// Unpacking an archive at every poll, to find that it still does not fit, would keep the disk busy, and full, for
    /// nothing.
    private func mayFit(_ drop: DropIdentity) throws -> Bool {
        guard let failure = tooLarge[drop], ContinuousClock.now < failure.retry else { return true }
        // What other programs write and remove is no reason to try again.
        return try folders.freeBytes() > failure.free + failure.free / 50
    }

    private func takeApart(_ key: IntakePlan.Key, _ drop: DropIdentity, _ sign: CompletionSign) async {
        defer {
            unpacking.finished(drop)
            wake.yield()
        }
        do {
            guard try status(of: drop, key) != nil else { return }
            guard let draft = try folders.makeDraft(for: drop) else { return postpone(key) }
            defer { remove(draft) }
            let archive = try FolderHandle(path: folders.layout.incoming(key.kind)).openFile(key.name)
            defer { close(archive) }
            let free = try folders.freeBytes()
            let unpacker = Unpacker(
                isolation: configuration.unpacking,
                limits: ArchiveLimits(configuration.limits, minimumFree: configuration.minimumFreeBytes))
            switch await unpacker.unpack(archive: archive, into: draft.holder.descriptor) {
            case .unpacked: try await takeUnpacked(key, drop, sign, draft)
            case .refused(let reason, let message, let wanted):
                try settle(key, drop, Refusal(reason: reason, message: message, wanted: wanted))
            case .outOfSpace:
                // Something else may have taken the space for the moment.
                tooLarge[drop] = (free, .now + .seconds(600))
                logger.error(
                    "an archive does not fit; it is unpacked when there is more space than there was, or in 10 min",
                    metadata: [
                        "archive": "\(drop.name)", "spool": "\(folders.layout.root)", "free": "\(free)",
                        "kept free": "\(configuration.minimumFreeBytes)",
                    ])
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
            if !Task.isCancelled {
                logger.error(
                    "could not take an archive, it is tried again",
                    metadata: ["kind": "\(key.kind)", "archive": "\(key.name)", "error": "\(error)"])
            }
            postpone(key)
        }
    }

    private func takeUnpacked(
        _ key: IntakePlan.Key, _ drop: DropIdentity, _ sign: CompletionSign, _ draft: ArchiveDraft
    ) async throws {
        let top = try draft.top()
        let result = try await inspect(top.name, in: top.holder, of: drop)
        // Whatever was unpacked is void when the archive changed meanwhile.
        guard let status = try status(of: drop, key) else { return }
        do {
            var inspection = try result.get()
            inspection.survey.owner = status.owner
            try await take(drop, inspection, sign, unpacked: top)
            forget(key)
        } catch let refusal as Refusal {
            try settle(key, drop, refusal)
        }
    }

    /// `nil` when the archive that was judged complete is not there any more, which the plan is told.
    private func status(of drop: DropIdentity, _ key: IntakePlan.Key) throws -> FileStatus? {
        let kindFolder = try FolderHandle(path: folders.layout.incoming(key.kind))
        guard let status = try kindFolder.status(of: key.name) else {
            forget(key)
            return nil
        }
        if DropIdentity(kind: key.kind, name: key.name, status: status) == drop { return status }
        plan.handle(.touched, for: key, at: .now)
        return nil
    }

    /// Not on the intake's executor, since a manifest in the archive has all of it read.
    private nonisolated func inspect(
        _ name: EntryName, in holder: FolderHandle, of drop: DropIdentity
    ) async throws -> Result<FolderInspection, Refusal> {
        do {
            return .success(
                try FolderInspection.inspect(name, in: holder, limits: configuration.limits, label: drop.name.escaped))
        } catch let refusal as Refusal {
            return .failure(refusal)
        }
    }

    private func remove(_ draft: ArchiveDraft) {
        do {
            try folders.remove(draft)
        } catch {
            logger.error("could not remove what was unpacked", metadata: ["error": "\(error)"])
        }
    }

    private func settle(_ key: IntakePlan.Key, _ drop: DropIdentity, _ refusal: Refusal) throws {
        if try refuse(drop, isFolder: false, refusal) { forget(key) } else { postpone(key) }
    }
}
