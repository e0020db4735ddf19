/// The sentences, in one place. Paths are relative to the dropped folder and escaped.
extension Refusal {
    private static let plainContent = "a folder that holds nothing but plain files and folders"

    static func notAFolder(_ name: String, _ noun: String) -> Refusal {
        Refusal(
            .notAFolder, "expected a folder: '\(name)' is a \(noun)",
            wanted:
                "a folder of files, or one as .zip, .tar or .tar.gz; make a folder, put the file into it and drop that")
    }

    static func empty(_ name: String) -> Refusal {
        Refusal(.empty, "the folder '\(name)' holds no files", wanted: "a folder with at least one file of data")
    }

    static func symbolicLink(_ path: String) -> Refusal {
        Refusal(
            .symbolicLink, "'\(path)' is a symbolic link, and links are not followed",
            wanted: "\(plainContent); copy with 'cp -rL' to turn links into files")
    }

    static func hardLink(_ path: String, _ links: Int) -> Refusal {
        Refusal(
            .hardLink, "'\(path)' is a file with \(links) names (hard links), so that it could change from outside",
            wanted: "files of the folder's own; copy them instead of linking them")
    }

    static func specialFile(_ path: String, _ noun: String) -> Refusal {
        Refusal(.specialFile, "'\(path)' is a \(noun)", wanted: plainContent)
    }

    static func unreadable(_ path: String, _ cause: String) -> Refusal {
        Refusal(
            .unreadable, "'\(path)' cannot be read: \(cause)",
            wanted: "files and folders open to the daemon's user; 'chmod -R g+rwX' the folder and drop it again")
    }

    static func tooLarge(_ limit: Int64) -> Refusal {
        Refusal(
            .tooLarge, "the files are larger than \(limit) bytes in all",
            wanted: "at most \(limit) bytes; split the folder, or raise spool.max_bytes in the configuration")
    }

    static func obstacle(_ obstacle: FolderWalk.Obstacle, at path: [UInt8], limits: FolderLimits) -> Refusal {
        let path = EntryName.escape(path)
        switch obstacle {
        case .tooManyEntries:
            return Refusal(
                .tooManyEntries, "there are more than \(limits.entries) files and folders in it",
                wanted: "at most \(limits.entries); split the folder, or raise spool.max_entries in the configuration")
        case .tooDeep:
            return Refusal(
                .tooDeep, "'\(path)' lies more than \(limits.depth) folders deep",
                wanted: "at most \(limits.depth) levels of folders, or raise spool.max_depth in the configuration")
        case .otherFileSystem:
            return Refusal(
                .otherFileSystem, "'\(path)' is a mount point of another file system", wanted: plainContent)
        case .closed(let error): return unreadable(path, "\(error)")
        }
    }

    static func badSpecification(_ sentence: String) -> Refusal {
        Refusal(
            .badSpecification, "could not read '\(ControlFile.specification)': \(sentence)",
            wanted: "a YAML mapping of keys to plain values, such as 'epochs: 3'")
    }

    static func misplacedSpecification(_ path: String) -> Refusal {
        Refusal(
            .badSpecification, "'\(path)' lies too deep to be read as the job's arguments",
            wanted:
                "'\(ControlFile.specification)' at the top of what is dropped; move it there, or drop the folder it lies in"
        )
    }

    static func manifest(_ sentence: String) -> Refusal {
        Refusal(
            .manifestMismatch, "the folder does not agree with '\(ControlFile.manifest)': \(sentence)",
            wanted: "every file listed once with its SHA-256, as 'sha256sum' writes it; copy the folder again")
    }
}
