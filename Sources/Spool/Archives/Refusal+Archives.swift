/// The sentences about archives. Paths are those in the archive, escaped.
extension Refusal {
    static func unsafeEntry(_ path: String, _ what: String) -> Refusal {
        Refusal(
            .unsafeEntry, "'\(path)' in the archive \(what)",
            wanted: "an archive of nothing but plain files and folders, with paths that stay in it")
    }

    static func encryptedArchive(_ path: String) -> Refusal {
        Refusal(
            .encryptedArchive, "'\(path)' in the archive is encrypted",
            wanted: "an archive without a password, or the folder itself")
    }

    static func damagedArchive(_ sentence: String) -> Refusal {
        Refusal(
            .damagedArchive, "could not read the archive: \(sentence)",
            wanted:
                "a whole .zip, .tar or .tar.gz; write it into tmp/ and rename it over, so that it is not taken too early"
        )
    }

    static func archiveChecksum(_ archive: EntryName, _ sentence: String) -> Refusal {
        Refusal(
            .manifestMismatch,
            "the archive does not agree with '\(archive.escaped)\(ArchiveFile.checksum)': \(sentence)",
            wanted: "one line, as 'sha256sum \(archive.escaped)' writes it; copy the archive again")
    }

    static func tooManyArchiveEntries(_ limit: Int) -> Refusal {
        Refusal(
            .tooManyEntries, "there are more than \(limit) files and folders in the archive",
            wanted: "at most \(limit); split it, or raise spool.max_entries in the configuration")
    }

    static func tooLargeUnpacked(_ limit: Int64) -> Refusal {
        Refusal(
            .tooLarge, "the archive unpacks to more than \(limit) bytes",
            wanted: "at most \(limit) bytes; split it, or raise spool.max_unpacked in the configuration")
    }

    static func tooDensePacked(_ limit: Int) -> Refusal {
        Refusal(
            .tooLarge, "the archive unpacks to more than \(limit) times its size",
            wanted: "pictures, which hardly shrink; or drop the folder itself, or raise spool.max_ratio")
    }

    static func archiveTooDeep(_ path: String, _ limit: Int) -> Refusal {
        Refusal(
            .tooDeep, "'\(path)' in the archive lies more than \(limit) folders deep",
            wanted: "at most \(limit) levels of folders, or raise spool.max_depth in the configuration")
    }
}
