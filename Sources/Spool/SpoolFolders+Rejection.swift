internal import Foundation
internal import Support

/// REASON.json.
struct RejectionNotice: Codable, Equatable, Sendable {
    var name: String
    var kind: String
    /// `null` when the folder was refused before there was a job.
    var job: Int64?
    var reason: String
    var message: String
    var wanted: String
    /// ISO 8601, UTC.
    var at: String

    init(name: String, kind: SpoolKind, job: Int64?, refusal: Refusal, at date: Date = Date()) {
        self.name = name
        self.kind = kind.rawValue
        self.job = job
        reason = refusal.reason
        message = refusal.message
        wanted = refusal.wanted
        at = date.formatted(.iso8601)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(kind, forKey: .kind)
        try container.encode(job, forKey: .job)
        try container.encode(reason, forKey: .reason)
        try container.encode(message, forKey: .message)
        try container.encode(wanted, forKey: .wanted)
        try container.encode(at, forKey: .at)
    }

    func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
    }
}

extension SpoolFolders {
    /// A drop that is refused before there is a job: incoming/<kind>/<name> → rejected/<name>.<stamp>/input. A thing
    /// that is no folder keeps its name: rejected/<name>.<stamp>/input/<name>. Returns the folder's name.
    @discardableResult
    func refuse(_ drop: DropIdentity, isFolder: Bool, refusal: Refusal) throws -> String {
        let folder = "\(drop.name.stem).\(drop.rejectionStamp)"
        let notice = RejectionNotice(name: drop.name.escaped, kind: drop.kind, job: nil, refusal: refusal)
        let target = try publishReason(notice, as: folder, holdsInputFolder: !isFolder)
        let incoming = try FolderHandle(path: layout.incoming(drop.kind))
        guard try incoming.status(of: drop.name)?.inode == drop.inode else { return folder }
        if isFolder {
            try incoming.moveBesideOthers(drop.name, to: target, as: Self.inputName)
        } else {
            let input = try target.openFolder(Self.inputName)
            if ArchiveFile.isNamed(by: drop.name) { try moveCompanions(of: drop.name, from: incoming, to: input) }
            try incoming.moveBesideOthers(drop.name, to: input, as: drop.name)
        }
        try afterStep(.moveToRejected)
        return folder
    }

    /// The input of a failed or cancelled job: processing/<folder> → rejected/<folder>/input.
    func reject(job: Int64, kind: SpoolKind, name: String, folder: String, refusal: Refusal) throws {
        try afterStep(.beginRejection)
        let processing = try FolderHandle(path: layout.processing)
        if try processing.exists(EntryName(folder)) {
            let notice = RejectionNotice(name: name, kind: kind, job: job, refusal: refusal)
            let target = try publishReason(notice, as: folder, holdsInputFolder: false)
            try processing.moveBesideOthers(EntryName(folder), to: target, as: Self.inputName)
            try afterStep(.moveToRejected)
        }
        try results.sweep(job: job)
        try afterStep(.sweepWork)
    }

    /// Of folders under `.work/` that are to become entries of `rejected/`, locked while somebody is at them.
    static let refusalPrefix = "refuse."

    /// rejected/<folder>/ appears with its REASON.json in it, never without.
    private func publishReason(
        _ notice: RejectionNotice, as folder: String, holdsInputFolder: Bool
    ) throws -> FolderHandle {
        let rejected = try FolderHandle(path: layout.rejected)
        if try rejected.exists(EntryName(folder)) {
            // A step of before a crash, or a job that was retried and failed again: the newer words count.
            try AtomicFile.write(try notice.json(), to: "\(layout.rejected)/\(folder)/\(Self.reasonName)")
            return try rejected.openFolder(EntryName(folder))
        }
        let work = try FolderHandle(path: layout.work)
        // A name of this daemon's own: a neighbour on the same spool may be refusing the same folder.
        let draft = EntryName("\(Self.refusalPrefix)\(getpid()).\(String(UInt64.random(in: .min ... .max), radix: 16))")
        try work.makeFolder(draft, permissions: 0o2770)
        // Gone when it was moved; there still when a step failed, or the neighbour was faster and has said the same.
        defer { try? work.removeTree(draft) }
        let holder = try work.openFolder(draft)
        _ = flock(holder.descriptor, LOCK_EX | LOCK_NB)
        if holdsInputFolder { try holder.makeFolder(Self.inputName, permissions: 0o2770) }
        try AtomicFile.write(try notice.json(), to: "\(layout.work)/\(draft.escaped)/\(Self.reasonName)")
        try afterStep(.prepareReason)
        _ = try work.move(draft, to: rejected, as: EntryName(folder))
        try afterStep(.publishReason)
        return try rejected.openFolder(EntryName(folder))
    }
}
