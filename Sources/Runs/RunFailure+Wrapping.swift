import Checkpoints
import Glibc
import Images
import Support

extension RunFailure {
    /// What an error thrown anywhere below means for the run as a whole.
    public init(wrapping error: any Error) {
        switch error {
        case let failure as RunFailure:
            self = failure
        case let error as SystemError where error.meansFullDisk:
            self.init(.diskFull, "\(error); free some space and retry")
        case let error as CheckpointError where error.systemError?.meansFullDisk == true:
            self.init(.diskFull, "\(error); free some space and retry")
        case let error as CheckpointError where error.action == .read && !Self.mayPass(error):
            self = .badInput("\(error)")
        case is DatasetError, is TooManyUnreadableImages, is ImageError:
            self = .badInput("\(error)")
        default:
            self.init(.error, "\(error)")
        }
    }

    /// Whether the system kept a file from being read, and not the file.
    private static func mayPass(_ error: CheckpointError) -> Bool {
        error.systemError.map { [EMFILE, ENFILE, ENOMEM, EIO, ESTALE, EAGAIN].contains($0.code) } ?? false
    }
}
