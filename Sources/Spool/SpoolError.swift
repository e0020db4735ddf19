/// What the spool itself refuses to do.
public enum SpoolError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The results of another attempt are final.
    case alreadyCompleted(job: Int64, folder: String)
    /// The work folder to publish is not there.
    case missingWork(path: String)
    /// The input of a job is not there.
    case missingFolder(path: String)
    /// The spool does not lie where it was.
    case gone(root: String, mark: String, identifier: String)
    /// Another spool lies where this one was.
    case exchanged(root: String)
    /// The file that says what the spool is called, or whose it is, says nothing of the kind.
    case damagedMark(path: String)
    /// The spool, or the folder of results, is that of daemons of another database.
    case ofAnotherDatabase(root: String, mark: String, found: String, wanted: String)

    public var description: String {
        switch self {
        case .alreadyCompleted(let job, let folder):
            "job \(job) was completed by another attempt: its results and its input lie in 'done/\(folder)'"
        case .missingWork(let path): "the work folder '\(path)' is not there: nothing can be published"
        case .missingFolder(let path): "the input '\(path)' is not there: drop the folder again"
        case .gone(let root, let mark, let identifier):
            "'\(root)/\(mark)' is not there, wanted spool \(identifier): nothing is taken and none of its jobs claimed until the file system with it is mounted again; if that is gone for good, start the daemon again, which makes a new spool"
        case .exchanged(let root):
            "'\(root)' is another spool than at start (was a file system mounted?): nothing is taken and none of its jobs claimed until it is back, or the daemon is started again"
        case .damagedMark(let path):
            "'\(path)' holds no hexadecimal digits, wanted what the daemon had written there: restore it, or remove it, after which the daemon makes another one"
        case .ofAnotherDatabase(let root, let mark, let found, let wanted):
            "'\(root)' belongs to database \(found), wanted that of this daemon, \(wanted): give each database a folder of its own; if that database is gone for good, remove '\(root)/\(mark)'"
        }
    }
}
