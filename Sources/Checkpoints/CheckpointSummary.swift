public import ShuffleNet

/// What `inspect` tells about a model file.
public struct CheckpointSummary: Sendable {
    /// One entry: a tensor, or a text whose `shape` is its number of characters.
    public struct Line: Sendable, Equatable {
        public let name: String
        /// `float32` …, or `text`.
        public let type: String
        public let shape: [Int]
        public let byteCount: Int

        public init(name: String, type: String, shape: [Int], byteCount: Int) {
            self.name = name
            self.type = type
            self.shape = shape
            self.byteCount = byteCount
        }
    }

    public let lines: [Line]
    /// Every text by name, our own card's included.
    public let texts: [String: String]
    /// The network, when the file holds a whole one; otherwise `problem` says why not.
    public let configuration: NetworkConfiguration?
    public let card: ModelCard?
    public let problem: String?
    /// Trainable values of the network; without a network the values of all floating tensors.
    public let parameterCount: Int
    /// Steps done, when the optimiser's state is in the file.
    public let globalStep: Int?

    public var tensorCount: Int { lines.count { $0.type != "text" } }
    public var byteCount: Int { lines.reduce(0) { $0 + $1.byteCount } }

    /// Reads the file. Throws `CheckpointError` only when it is no checkpoint at all.
    public init(path: String) throws(CheckpointError) {
        self.init(try Checkpoint(path: path))
    }

    public init(_ checkpoint: Checkpoint) {
        var texts: [String: String] = [:]
        lines = checkpoint.entries.map { entry in
            switch entry {
            case .tensor(let tensor):
                return Line(
                    name: tensor.name, type: tensor.elementType.rawValue, shape: tensor.shape,
                    byteCount: tensor.bytes.count)
            case .text(let name, let value):
                texts[name] = value
                return Line(name: name, type: "text", shape: [value.count], byteCount: value.utf8.count)
            }
        }
        self.texts = texts
        do throws(CheckpointError) {
            let file = try ModelFile(checkpoint)
            configuration = file.configuration
            card = file.card
            problem = nil
            parameterCount = file.configuration.trainableCount
            globalStep = file.optimizer?.globalStep
        } catch {
            configuration = nil
            card = nil
            problem = error.problem
            let floating: Set<ElementType> = [.float16, .bfloat16, .float32, .float64]
            parameterCount = checkpoint.tensors.reduce(0) {
                $0 + (floating.contains($1.elementType) ? $1.count : 0)
            }
            globalStep = nil
        }
    }
}
