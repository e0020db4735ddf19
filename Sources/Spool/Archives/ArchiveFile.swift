/// Files that are taken as the folder they hold, and the files beside them that speak about them.
public enum ArchiveFile {
    /// By the end of the name, in small or capital letters. What it really is, its content tells later.
    static let endings = [".zip", ".tar", ".tar.gz", ".tgz"]

    /// `<archive>.ready`: "everything is here", put in last.
    static let ready = ".ready"
    /// `<archive>.sha256`: what sha256sum(1) says of the archive.
    static let checksum = ".sha256"
    static let companions = [ready, checksum]

    /// Where the archive itself lies in the folder that was made of it, out of sight of the jobs.
    public static let shelf = ".dropped"
    /// Makers of archives on the Macintosh add a folder of shadows, which nobody means.
    static let macintoshShadows = "__MACOSX"

    static func isNamed(by name: EntryName) -> Bool {
        !name.isHidden && endings.contains { hasEnding(name, $0) }
    }

    /// The archive that a name like `photos.zip.ready` speaks about.
    static func archive(ofCompanion name: EntryName) -> EntryName? {
        for ending in companions where hasEnding(name, ending) {
            let archive = EntryName(bytes: name.bytes.dropLast(ending.utf8.count))
            if isNamed(by: archive) { return archive }
        }
        return nil
    }

    static func companion(_ ending: String, of archive: EntryName) -> EntryName {
        EntryName(bytes: archive.bytes + Array(ending.utf8))
    }

    private static func hasEnding(_ name: EntryName, _ ending: String) -> Bool {
        let tail = name.bytes.suffix(ending.utf8.count).map { (65...90).contains($0) ? $0 + 32 : $0 }
        return name.bytes.count > ending.utf8.count && tail == Array(ending.utf8)
    }
}
