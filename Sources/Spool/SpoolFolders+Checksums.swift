internal import Support

extension SpoolFolders {
    /// Reads what the checksums of a drop speak of: `manifest.sha256` in a folder, `<name>.sha256` beside an archive.
    /// Throws `SystemError` when the look failed and may succeed later, ECANCELED when the task was cancelled.
    ///
    /// It blocks, for a quarter of an hour on a terabyte, and is async only to do so where its task prefers to run instead
    /// of on the caller's executor.
    func verifyChecksums(of key: IntakePlan.Key, limits: FolderLimits) async throws -> IntakePlan.Verdict {
        let verdict: IntakePlan.Verdict
        do {
            let incoming = try FolderHandle(path: layout.incoming(key.kind))
            if ArchiveFile.isNamed(by: key.name), try incoming.status(of: key.name)?.isFolder == false {
                try verifyChecksum(ofArchive: key.name, in: incoming, limits: limits)
            } else {
                try FolderInspection.verifyManifest(of: try incoming.openFolder(key.name), limits: limits)
            }
            verdict = .agree
        } catch let refusal as Refusal {
            verdict = .disagree(refusal)
        }
        try afterStep(.verifyChecksums)
        return verdict
    }

    /// `<archive>.sha256` against the archive. Throws the disagreement as a `Refusal`.
    private func verifyChecksum(ofArchive archive: EntryName, in incoming: FolderHandle, limits: FolderLimits) throws {
        let companion = ArchiveFile.companion(ArchiveFile.checksum, of: archive)
        let text = try FolderInspection.read(companion, in: incoming, limit: limits.specificationBytes) { size in
            .archiveChecksum(archive, "it has \(size) bytes, more than \(limits.specificationBytes)")
        }
        let items: [[UInt8]: FolderManifest.Item]
        do throws(Refusal) {
            items = try FolderManifest(text).items
        } catch {
            throw Refusal.archiveChecksum(archive, "it does not hold '<64 hexadecimal digits>  <path>'")
        }
        guard let item = items.first(where: { $0.key.split(separator: UInt8(ascii: "/")).last == archive.bytes[...] })
        else { throw Refusal.archiveChecksum(archive, "it does not list the archive") }
        guard try FolderManifest.digest(of: archive, in: incoming) == item.value.digest else {
            throw Refusal.archiveChecksum(archive, "it lists another SHA-256")
        }
    }
}
