/// Keeps a folder for the daemons of one database, by a mark at its root: those of another would take its jobs' numbers for
/// their own.
struct DatabaseBinding: Sendable {
    static let spool = DatabaseBinding(mark: .database)
    static let results = DatabaseBinding(mark: .resultsDatabase)

    let mark: SpoolMark

    /// Throws `SpoolError.ofAnotherDatabase` when the folder is kept already.
    ///
    /// - Parameter database: hexadecimal digits and `-`.
    func bind(_ root: FolderHandle, to database: String) throws {
        try check(try mark.read(in: root, orWrite: database), of: root, is: database)
    }

    /// Throws what `bind` would for the folder `path`, but makes and marks nothing.
    func check(_ path: String, is database: String) throws {
        guard let root = try FolderHandle.ifPresent(path: path), let found = try mark.read(in: root) else { return }
        try check(found, of: root, is: database)
    }

    private func check(_ found: String, of root: FolderHandle, is wanted: String) throws(SpoolError) {
        guard found == wanted else {
            throw .ofAnotherDatabase(root: root.label, mark: mark.name.escaped, found: found, wanted: wanted)
        }
    }
}
