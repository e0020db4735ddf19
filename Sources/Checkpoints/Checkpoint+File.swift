extension Checkpoint {
    /// Reads a model file: safetensors when the name ends in `.safetensors`, MindSpore's format otherwise.
    public init(path: String) throws(CheckpointError) {
        if path.hasSuffix(".onnx") {
            throw CheckpointError(
                "an .onnx file is for other programs and is not read here; wanted the .ckpt or .safetensors file that "
                    + "it was made from", file: path)
        }
        self = path.hasSuffix(".safetensors") ? try SafeTensors.read(path: path) : try MindSporeFile.read(path: path)
    }

    /// Writes a model file in the format its name asks for. It appears whole or not at all.
    public func write(to path: String) throws(CheckpointError) {
        if path.hasSuffix(".safetensors") {
            try SafeTensors.write(self, to: path)
        } else {
            try MindSporeFile.write(self, to: path)
        }
    }
}
