import Kernels
import Support

/// The dense layer in inference, as a product over the features of a task's images; float32 whatever the rest is.
final class FoldedClassifier {
    let classes: Int
    let features: Int
    private let weights: AlignedBuffer<Float>
    private let bias: AlignedBuffer<Float>
    private let kernels: any ActivationKernels<Float>

    /// Classes of one product: those of several can go to several threads.
    private static let chunk = 120
    private let chunkCount: Int

    init(classes: Int, features: Int, kernels: any ActivationKernels<Float>) {
        self.kernels = kernels
        self.classes = classes
        self.features = features
        chunkCount = (classes + Self.chunk - 1) / Self.chunk
        weights = AlignedBuffer(count: chunkCount * PackedWeights.count(rows: Self.chunk, columns: features))
        bias = AlignedBuffer(count: classes)
    }

    private func chunk(_ index: Int) -> Range<Int> {
        index * Self.chunk..<min((index + 1) * Self.chunk, classes)
    }

    private func weights(_ index: Int) -> PackedWeights {
        PackedWeights(
            weights.pointer + index * PackedWeights.count(rows: Self.chunk, columns: features),
            rows: chunk(index).count, columns: features)
    }

    func fold(_ parameters: ParameterStore) {
        let raw = parameters.pointer("classifier.weight")
        for index in 0..<chunkCount {
            kernels.pack(
                [WeightBlock(raw + index * Self.chunk * features, rowStride: features, columns: features)],
                into: weights(index), inputSize: nil)
        }
        bias.pointer.update(from: parameters.pointer("classifier.bias"), count: classes)
    }

    /// - Parameters:
    ///   - means: `[features][count]`.
    ///   - logits: receives `[count][classes]`.
    ///   - scores: memory for `[classes][count]`.
    func run<Scalar>(
        _ means: Rows<Float>, count: Int, logits: UnsafeMutablePointer<Float>, scores: Rows<Float>,
        _ team: InferenceTeam<Scalar>
    ) {
        team.run(chunkCount) { index, _ in
            let range = chunk(index)
            let first = range.lowerBound
            var product = PointwiseProduct(
                weights(index), columns: count,
                .init(means[0, 0], stride: means.stride, rows: features), out: scores[first, 0],
                outStride: scores.stride)
            product.bias = UnsafePointer(bias.pointer + first)
            kernels.multiply(product)
            for label in range {
                for image in 0..<count { logits[image * classes + label] = scores[label, image].pointee }
            }
        }
    }
}
