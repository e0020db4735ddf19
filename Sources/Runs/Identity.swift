import Checkpoints
import Images

/// A hash of texts that together decide a result, as 64 hexadecimal digits.
func identity(of parts: [String]) -> String {
    var text = parts.joined(separator: "\n")
    return text.withUTF8 { SHA256Digest(of: UnsafeRawBufferPointer($0)).description }
}

extension ModelFile {
    /// A hash of the weights and the card as they were read, whatever lies at the file's path by now.
    var identity: String {
        var model = self
        model.optimizer = nil
        return Runs.identity(
            of: model.checkpoint.entries.map { entry in
                switch entry {
                case .text(let name, let value): "\(name) \(value)"
                case .tensor(let tensor):
                    "\(tensor.name) \(tensor.shape) \(tensor.elementType) "
                        + tensor.bytes.withUnsafeBytes { SHA256Digest(of: $0).description }
                }
            })
    }
}
