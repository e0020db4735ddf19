internal import Logging
internal import Support

extension SpoolIntake {
    /// Does one step for one folder and tells the plan how it went.
    func perform(_ action: FolderMachine.Action, on key: IntakePlan.Key) async {
        do {
            let kindFolder = try FolderHandle(path: folders.layout.incoming(key.kind))
            guard let status = try kindFolder.status(of: key.name) else { return forget(key) }
            if try speaksOfArchive(key, in: kindFolder) { return postpone(key) }
            switch action {
            case .survey:
                plan.handle(.surveyed(try survey(key, status, in: kindFolder)), for: key, at: .now)
            case .verifyManifest:
                guard let fingerprint = plan.fingerprint(of: key),
                    let verdict = verdict(on: IntakePlan.State(key: key, fingerprint: fingerprint))
                else { return }
                plan.handle(.manifestVerified(verdict == .agree), for: key, at: .now)
            case .accept(let sign):
                await accept(key, sign: sign, in: kindFolder)
            case .wait: break
            }
        } catch {
            // Gone or exchanged while it was looked at is usual; the next look tells.
            logger.debug("look failed", metadata: ["folder": "\(key.name)", "error": "\(error)"])
            let now = ContinuousClock.now
            plan.handle(.postponed(until: now + configuration.pollInterval), for: key, at: now)
        }
    }

    func postpone(_ key: IntakePlan.Key) {
        let now = ContinuousClock.now
        plan.handle(.postponed(until: now + configuration.rescanInterval), for: key, at: now)
    }

    /// Of a thing that is no folder, or a folder that may not be entered, only its own state is known.
    private func survey(
        _ key: IntakePlan.Key, _ status: FileStatus, in kindFolder: FolderHandle
    ) throws -> FolderSurvey {
        if status.isFolder {
            do {
                return try FolderSurvey.take(of: kindFolder.openFolder(key.name), limits: configuration.limits) {
                    addWatch($0, for: .drop(key))
                }
            } catch let error as SystemError where error.isDenial {
                return FolderSurvey(status: status)
            }
        }
        if isArchive(key, status) {
            return try FolderSurvey(
                archive: key.name, status: status, in: kindFolder, limits: configuration.limits)
        }
        return FolderSurvey(status: status)
    }

    // MARK: - Acceptance

    private func accept(_ key: IntakePlan.Key, sign: CompletionSign, in kindFolder: FolderHandle) async {
        do {
            guard try hasSpace() else { return postpone(key) }
            guard let status = try kindFolder.status(of: key.name) else { return forget(key) }
            let drop = DropIdentity(kind: key.kind, name: key.name, status: status)
            do {
                if isArchive(key, status) {
                    return try unpack(key, drop, status, sign: sign, in: kindFolder)
                }
                guard status.isFolder else { throw Refusal.notAFolder(key.name.escaped, status.noun) }
                let inspection = try FolderInspection.inspect(
                    key.name, in: kindFolder, limits: configuration.limits, verifiesManifest: false)
                // Whatever was decided is void when something moved since then.
                let isAsJudged = sign == .renamed || inspection.survey.fingerprint == plan.fingerprint(of: key)
                guard isAsJudged, inspection.survey.changed == drop.changed else {
                    return plan.handle(.touched, for: key, at: .now)
                }
                guard try checksumsAgree(with: inspection.survey, of: key) else { return }
                try await take(drop, inspection, sign)
            } catch let refusal as Refusal {
                guard try refuse(drop, isFolder: status.isFolder, refusal) else { return postpone(key) }
            }
            forget(key)
        } catch {
            logger.error(
                "could not take a folder, it is tried again",
                metadata: ["kind": "\(key.kind)", "folder": "\(key.name)", "error": "\(error)"])
            postpone(key)
        }
    }

    /// The row first, then the rename, then the row learns of it.
    ///
    /// - Parameter unpacked: what was made of an archive.
    func take(
        _ drop: DropIdentity, _ inspection: FolderInspection, _ sign: CompletionSign,
        unpacked: (holder: FolderHandle, name: EntryName)? = nil
    ) async throws {
        let accepted = AcceptedFolder(
            kind: drop.kind, name: drop.name.escaped, uniqueKey: drop.uniqueKey(spool: folders.identifier),
            arguments: inspection.arguments, sign: sign, files: inspection.survey.files,
            bytes: inspection.survey.bytes, owner: inspection.survey.owner)
        let job = try await registrar.register(accepted)
        try folders.afterStep(.registerRow)
        let folder = SpoolFolders.folderName(drop.name, job: job)
        let placement =
            if let unpacked {
                try folders.place(drop, unpacked: unpacked, folder: folder)
            } else {
                try folders.place(drop, folder: folder)
            }
        switch placement {
        case .moved, .alreadyThere:
            logger.info(
                "took a folder",
                metadata: [
                    "job": "\(job)", "kind": "\(drop.kind)", "folder": "\(drop.name)", "sign": "\(sign.rawValue)",
                    "files": "\(accepted.files)", "bytes": "\(accepted.bytes)", "owner": "\(accepted.owner)",
                ])
            unplaced[job] = folder
            await placeLeftovers()
        case .vanished:
            let refusal = Refusal(
                reason: "bad_input", message: "the dropped folder '\(accepted.name)' went away before it was taken",
                wanted: "leave a folder in incoming/ until the daemon has taken it")
            try await registrar.abandon(job: job, refusal: refusal)
        }
    }

    /// Tells the rows of folders that lie in `processing/` where they are.
    func placeLeftovers() async {
        for (job, folder) in unplaced.sorted(by: { $0.key < $1.key }) {
            do {
                try await registrar.place(job: job, folder: folder)
                unplaced[job] = nil
                try folders.afterStep(.confirmRow)
            } catch {
                logger.error(
                    "could not tell job \(job) where its folder is, it is tried again",
                    metadata: ["folder": "\(folder)", "error": "\(error)"])
            }
        }
    }

    /// `false` when the folder may not be moved.
    func refuse(_ drop: DropIdentity, isFolder: Bool, _ refusal: Refusal) throws -> Bool {
        do {
            let name = try folders.refuse(drop, isFolder: isFolder, refusal: refusal)
            logger.warning(
                "refused a folder",
                metadata: [
                    "kind": "\(drop.kind)", "folder": "\(drop.name)", "reason": "\(refusal.reason)",
                    "message": "\(refusal.message)", "rejected": "\(name)",
                ])
            return true
        } catch let error as SystemError where error.isDenial {
            // REASON.json is written, only the folder cannot be moved: said once, looked at again and again.
            if stuck.insert(drop).inserted {
                logger.error(
                    "refused a folder that may not be moved out of incoming/",
                    metadata: ["folder": "\(drop.name)", "message": "\(refusal.message)", "error": "\(error)"])
            }
            return false
        }
    }

    private func hasSpace() throws -> Bool {
        let free = try folders.freeBytes()
        let isShort = free < configuration.minimumFreeBytes
        if isShort != isShortOfSpace {
            isShortOfSpace = isShort
            if isShort {
                logger.error(
                    "low on space: nothing is taken until there is room (spool.min_free)",
                    metadata: [
                        "spool": "\(folders.layout.root)", "free": "\(free) bytes",
                        "wanted": "\(configuration.minimumFreeBytes) bytes",
                    ])
            } else {
                logger.notice("enough space again", metadata: ["free": "\(free)"])
            }
        }
        return !isShort
    }
}
