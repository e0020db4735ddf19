import Kernels
import Support

/// Global mean, dense layer and loss in training.
final class TrainedHead<Scalar: ActivationScalar> {
    let channels: Int
    let classes: Int
    let area: Int
    let batch: Int

    private let weights: UnsafeMutablePointer<Float>
    private let bias: UnsafeMutablePointer<Float>
    private let weightGradient: UnsafeMutablePointer<Float>
    private let biasGradient: UnsafeMutablePointer<Float>
    /// Means `[channels][batch]`, then their gradient.
    private let means: AlignedBuffer<Float>
    private let meanGradients: AlignedBuffer<Float>
    /// `[batch][classes]`.
    private let logits: AlignedBuffer<Float>
    private let logitGradients: AlignedBuffer<Float>
    private let owners: [ParameterStore]
    private let kernels: any ActivationKernels<Scalar>

    private static var chunks: Int { 8 }

    init(
        channels: Int, classes: Int, area: Int, batch: Int, parameters: ParameterStore, gradients: ParameterStore,
        kernels: any ActivationKernels<Scalar>
    ) {
        self.channels = channels
        self.classes = classes
        self.area = area
        self.batch = batch
        self.kernels = kernels
        weights = parameters.pointer("classifier.weight")
        bias = parameters.pointer("classifier.bias")
        weightGradient = gradients.pointer("classifier.weight")
        biasGradient = gradients.pointer("classifier.bias")
        owners = [parameters, gradients]
        means = AlignedBuffer(count: channels * batch)
        meanGradients = AlignedBuffer(count: channels * batch)
        logits = AlignedBuffer(count: batch * classes)
        logitGradients = AlignedBuffer(count: batch * classes)
    }

    /// Forward, loss, backward. `gradient` receives the gradient at `input`, of the loss times its scale.
    func run(
        _ input: Rows<Scalar>, labels: UnsafePointer<Int32>, count: Int, loss: LossOptions, gradient: Rows<Scalar>,
        _ workspace: TrainingWorkspace<Scalar>
    ) -> StepResult {
        func range(_ chunk: Int, of total: Int) -> Range<Int> {
            chunk * total / Self.chunks..<(chunk + 1) * total / Self.chunks
        }
        workspace.pool.run(Self.chunks) { chunk, _ in
            for channel in range(chunk, of: channels) {
                GlobalMean.forward(
                    input[channel, 0], images: count, area: area, out: means.pointer + channel * batch,
                    with: kernels)
            }
        }
        workspace.pool.run(Self.chunks) { chunk, _ in
            let part = range(chunk, of: classes)
            for image in 0..<count {
                for label in part { logits.pointer[image * classes + label] = bias[label] }
            }
            MatrixProduct.multiply(
                .transposed, .transposed, m: count, n: part.count, k: channels, means.pointer, batch,
                weights + part.lowerBound * channels, channels, beta: 1, logits.pointer + part.lowerBound, classes)
        }
        let result = measure(labels, count, loss)
        workspace.pool.run(Self.chunks) { chunk, _ in
            let part = range(chunk, of: channels)
            MatrixProduct.multiply(
                .transposed, .transposed, m: classes, n: part.count, k: count, logitGradients.pointer, classes,
                means.pointer + part.lowerBound * batch, batch, beta: 0, weightGradient + part.lowerBound, channels)
            MatrixProduct.multiply(
                .transposed, .transposed, m: part.count, n: count, k: classes, weights + part.lowerBound, channels,
                logitGradients.pointer, classes, beta: 0, meanGradients.pointer + part.lowerBound * batch, batch)
            for channel in part {
                GlobalMean.backward(
                    gradient[channel, 0], images: count, area: area, gradient: meanGradients.pointer + channel * batch,
                    with: kernels)
            }
        }
        return result
    }

    /// Loss, hits, the gradient at the logits and at the bias.
    private func measure(_ labels: UnsafePointer<Int32>, _ count: Int, _ options: LossOptions) -> StepResult {
        var loss = 0.0
        var correct = 0
        for image in 0..<count {
            let row = logits.pointer + image * classes
            let label = Int(labels[image])
            precondition(label >= 0 && label < classes, "label \(label) lies outside the network's \(classes) classes")
            loss += CrossEntropy.evaluate(
                row, label: label, classes: classes, smoothing: Double(options.labelSmoothing),
                gradient: logitGradients.pointer + image * classes, factor: Double(options.scale) / Double(count))
            if CrossEntropy.rank(row, label: label, classes: classes) == 0 { correct += 1 }
        }
        for label in 0..<classes {
            var sum = 0.0
            for image in 0..<count { sum += Double(logitGradients.pointer[image * classes + label]) }
            biasGradient[label] = Float(sum)
        }
        return StepResult(loss: Float(loss / Double(count)), correct: correct)
    }
}
