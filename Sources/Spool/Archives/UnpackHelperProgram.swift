internal import CArchive
internal import CIsolation
internal import Foundation
internal import Glibc
internal import Support

/// What the helper says at its end: one JSON object on its standard output.
enum UnpackOutcome: Codable, Equatable, Sendable {
    case unpacked
    case refused(reason: String, message: String, wanted: String)
    /// It may succeed another time.
    case failed(String)
    case outOfSpace
}

/// The helper's side: the hidden command `unpack-helper`. It writes what the archive on one descriptor holds into the
/// folder on another, and ends.
///
/// An own process, since libarchive meets an attacker's bytes: it can open nothing but the folder (landlock(7)), has
/// bounds on memory and processor time, and a crash costs one archive.
public enum UnpackHelperProgram {
    /// The descriptors a helper is born with.
    static let archive: Int32 = 3
    static let folder: Int32 = 4
    /// In the folder; a child of it, so that what is beside it is out of an entry's reach.
    static let tree = EntryName("tree")

    /// For zlib, for libarchive's tables of a million entries, and for us.
    private static let memory = 2 << 30
    private static let processorSeconds = 3600

    /// Returns the exit status.
    public static func run(_ arguments: [String]) -> Int32 {
        HelperProcess.endWithStarter()
        limit(RLIMIT_CORE, to: 0)
        limit(RLIMIT_CPU, to: processorSeconds)
        limit(RLIMIT_AS, to: memory)
        // libarchive turns names that are marked as UTF-8 into the locale's, and gives up in "C".
        setlocale(LC_CTYPE, "C.UTF-8")
        umask(0o007)
        guard let limits = ArchiveLimits(arguments: arguments) else { return 64 }
        guard let answer = try? JSONEncoder().encode(outcome(limits)) else { return 70 }
        // Nobody reads it when the daemon was killed meanwhile.
        return (try? FileHandle.standardOutput.write(contentsOf: answer)) == nil ? 74 : 0
    }

    private static func outcome(_ limits: ArchiveLimits) -> UnpackOutcome {
        do {
            let holder = FolderHandle(descriptor: folder, label: "archive")
            // Where the kernel cannot, the rules of the extraction have to do alone.
            _ = cisolation_confine_to_folder(folder)
            try holder.makeFolder(tree, permissions: 0o2770)
            var status = stat()
            if fstat(archive, &status) != 0 { throw SystemError("fstat", on: "archive") }
            let extraction = ArchiveExtraction(
                reader: try ArchiveReader(descriptor: archive), target: try holder.openFolder(tree), limits: limits,
                packed: Int64(status.st_size))
            try extraction.run()
            // All of it, before the archive is put away.
            if carchive_flush(folder) != 0 { throw SystemError("syncfs", on: "archive") }
            return .unpacked
        } catch let refusal as Refusal {
            return .refused(reason: refusal.reason, message: refusal.message, wanted: refusal.wanted)
        } catch let damage as ArchiveReader.Damage {
            let refusal = Refusal.damagedArchive(damage.sentence)
            return .refused(reason: refusal.reason, message: refusal.message, wanted: refusal.wanted)
        } catch is ArchiveExtraction.OutOfSpace {
            return .outOfSpace
        } catch {
            return .failed("\(error)")
        }
    }

    private static func limit(_ resource: __rlimit_resource, to value: Int) {
        // The hard limit later than the soft one: at that of processor time the kernel would send SIGKILL, which says
        // nothing.
        var limit = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(value + 10))
        setrlimit(__rlimit_resource_t(resource.rawValue), &limit)
    }
}
