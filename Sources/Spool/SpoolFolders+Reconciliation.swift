internal import Support

extension SpoolFolders {
    /// The jobs whose folders lie in `processing/` or `.work/`.
    func jobsInFolders() throws -> Set<Int64> {
        let inputs = try FolderHandle(path: layout.processing).entries() ?? []
        return Set(inputs.compactMap(Self.job(ofFolder:))).union(try results.attemptsAtWork().keys)
    }

    /// Brings the folders in line with the rows. `rows` must have been read after `jobsInFolders`.
    func reconcile(jobs: Set<Int64>, rows: [SpoolRow]) throws -> ReconcileReport {
        var report = ReconcileReport()
        let mine = rows.filter { $0.uniqueKey.hasPrefix("spool:\(identifier):") }
        let rowOf = Dictionary(mine.map { ($0.job, $0) }) { first, _ in first }
        // Their results may lie in a work folder still.
        var unsettled: Set<Int64> = []
        for entry in try FolderHandle(path: layout.processing).entries() ?? [] {
            let isSettled = attempt("processing/\(entry.escaped)", &report) { report in
                try settle(entry, listed: jobs, rowOf, &report)
            }
            if !isSettled, let job = Self.job(ofFolder: entry) { unsettled.insert(job) }
        }
        for row in mine where row.state == .unfinished && report.toPlace[row.job] == nil {
            attempt("job \(row.job)", &report) { report in
                if try !isInProcessing(row) { try find(row, &report) }
            }
        }
        for job in try results.attemptsAtWork().keys
        where jobs.contains(job) && rowOf[job]?.state != .unfinished && !unsettled.contains(job) {
            attempt(".work/\(job)", &report) { _ in try results.sweep(job: job) }
        }
        try sweepDrafts()
        return report
    }

    /// One folder under `processing/`.
    private func settle(
        _ entry: EntryName, listed: Set<Int64>, _ rowOf: [Int64: SpoolRow], _ report: inout ReconcileReport
    ) throws {
        guard let job = Self.job(ofFolder: entry) else {
            report.warnings.append("'processing/\(entry.escaped)' belongs to no job and was left alone")
            return
        }
        // Younger than the rows that were read: another daemon on the same spool is at work on it.
        guard listed.contains(job) else { return }
        let folder = entry.escaped
        guard let row = rowOf[job] else {
            let refusal = Refusal(
                .unknownJob, "the database knows no job \(job) of this spool", wanted: "drop the folder again")
            try reject(job: job, kind: unknownKind, name: folder, folder: folder, refusal: refusal)
            report.warnings.append("'processing/\(folder)' belongs to no row and was moved to rejected/")
            return
        }
        switch row.state {
        case .unfinished:
            if row.folder == nil {
                try shelveArchive(of: row, in: folder)
                report.toPlace[job] = folder
            }
        case .completed:
            try complete(job: job, token: row.token, folder: folder)
            report.finished.append(job)
        case .failed(let refusal):
            try reject(job: job, kind: row.kind, name: row.name, folder: folder, refusal: refusal)
            report.finished.append(job)
        }
    }

    /// An unfinished row without a folder in `processing/`: the acceptance crashed before the rename, a person asked
    /// for a retry, or the folder is lost.
    private func find(_ row: SpoolRow, _ report: inout ReconcileReport) throws {
        let name = EntryName(bytes: EntryName.unescape(row.name))
        let folder = row.folder ?? Self.folderName(name, job: row.job)
        if let drop = try dropped(by: row) {
            // An archive is taken apart again by the intake, which finds this row.
            if !drop.isFolder { return }
            if try place(drop.identity, folder: folder) != .vanished {
                report.toPlace[row.job] = folder
                return
            }
        }
        if try restore(folder: folder) {
            // Also when another daemon placed it meanwhile: saying so twice does no harm.
            if row.folder == nil { report.toPlace[row.job] = folder }
            return
        }
        report.lost[row.job] = Refusal(
            reason: "bad_input", message: "the dropped folder '\(row.name)' of job \(row.job) is not there any more",
            wanted: "drop the folder again, and leave processing/ to the daemon")
    }

    private func isInProcessing(_ row: SpoolRow) throws -> Bool {
        let folder = row.folder ?? Self.folderName(EntryName(bytes: EntryName.unescape(row.name)), job: row.job)
        return try FolderHandle(path: layout.processing).exists(EntryName(folder))
    }

    private var unknownKind: SpoolKind { SpoolKind(rawValue: "unknown") }

    /// One broken folder must not keep the others from being put right. Returns whether it went well.
    @discardableResult
    private func attempt(
        _ subject: String, _ report: inout ReconcileReport, _ body: (inout ReconcileReport) throws -> Void
    ) -> Bool {
        do {
            try body(&report)
            return true
        } catch {
            report.warnings.append("could not reconcile '\(subject)': \(error)")
            return false
        }
    }
}
