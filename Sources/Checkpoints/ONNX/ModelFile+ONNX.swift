import Support
import SwiftProtobuf

extension ModelFile {
    /// Writes the model for programs that run ONNX: the network as a graph for pictures of this size, `pixels` ×
    /// `pixels`, its values, and as `metadata_props` what the card says. It appears whole or not at all.
    ///
    /// What only a training needs is left out, and such a file is not read again.
    public func writeONNX(pixels: Int, to path: String) throws(CheckpointError) {
        let model = weightsOnly
        let file = ONNXModel.with {
            $0.irVersion = 7
            $0.opsetImport = [.with { $0.version = Int64(ONNXNetwork.operatorSet) }]
            $0.producerName = "shufflenetd"
            $0.graph = ONNXNetwork.graph(of: model, pixels: pixels)
            $0.metadataProps = model.checkpoint.entries.compactMap { entry in
                guard case .text(let name, let value) = entry else { return nil }
                return .with {
                    $0.key = name
                    $0.value = value
                }
            }
        }
        do {
            let bytes: [UInt8] = try file.serializedBytes()
            try AtomicFile.write(bytes, to: path)
        } catch {
            throw CheckpointError(writing: path, error)
        }
    }
}
