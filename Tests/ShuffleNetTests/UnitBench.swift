import Kernels
import Support

@testable import ShuffleNet

/// One unit by itself, with its own parameters, on images in NCHW order: what the unit tests drive.
final class UnitBench<Scalar: ActivationScalar> {
    let shape: UnitShape
    let height: Int
    let width: Int
    let batch: Int
    let parameters: ParameterStore
    let gradients: ParameterStore
    let unit: TrainedUnit<Scalar>
    private let workspace: TrainingWorkspace<Scalar>

    var outHeight: Int { shape.outputSide(height) }
    var outWidth: Int { shape.outputSide(width) }

    init(_ shape: UnitShape, height: Int, width: Int, batch: Int, threads: Int = 2) {
        MatrixProduct.useOneThread()
        self.shape = shape
        self.height = height
        self.width = width
        self.batch = batch
        let layout = ParameterLayout(shape.parameters(prefix: ""))
        parameters = ParameterStore(layout)
        gradients = ParameterStore(layout)
        unit = TrainedUnit(
            shape, height: height, width: width, batch: batch, prefix: "", parameters: parameters,
            gradients: gradients)
        var needs = TrainingNeeds()
        unit.declare(&needs)
        workspace = TrainingWorkspace(needs, pool: ThreadPool(threads: threads))
    }

    /// Forward and backward in training mode. Returns the output and the gradient at the input, both NCHW.
    func train(_ input: [Float], upstream: [Float]) -> (output: [Float], inputGradient: [Float]) {
        let (inputBuffer, inputRows) = Self.rows(input, batch, shape.inputs, height * width)
        let (upstreamBuffer, gradient) = Self.rows(upstream, batch, shape.outputs, outHeight * outWidth)
        _ = unit.forward(inputRows, images: batch, isReduced: false, next: nil, workspace)
        let output = Self.images(unit.output, batch, shape.outputs, outHeight * outWidth)
        let (apart, apartRows) = Self.rows(
            [Float](repeating: .nan, count: input.count), batch, shape.inputs, height * width)
        let inputGradient = shape.stride == 1 ? gradient : apartRows
        _ = unit.backward(
            inputRows, gradient: gradient, inputGradient: inputGradient, images: batch, isCorrelated: false,
            previous: nil, workspace)
        let result = Self.images(inputGradient, batch, shape.inputs, height * width)
        withExtendedLifetime([inputBuffer, upstreamBuffer, apart]) {}
        return (output, result)
    }

    /// The unit in evaluation mode, with its running statistics.
    func evaluate(_ input: [Float]) -> [Float] {
        let folded = FoldedUnit<Scalar>(shape, height: height, width: width, prefix: "")
        _ = folded.fold(parameters, inputSquare: 1)
        let (buffer, rows) = Self.rows(input, batch, shape.inputs, height * width)
        func empty(_ channels: Int, _ area: Int) -> (AlignedBuffer<Scalar>, Rows<Scalar>) {
            Self.rows([Float](repeating: .nan, count: batch * channels * area), batch, channels, area)
        }
        let output = empty(shape.outputs, outHeight * outWidth)
        let reduced = empty(shape.middle, height * width)
        let convolved = empty(shape.middle, outHeight * outWidth)
        let plane = AlignedBuffer<Float>(count: folded.scratchCount)
        // A unit has no patches, and no image.
        let patches = AlignedBuffer<Scalar>(count: 1)
        folded.run(
            rows, images: batch, output: output.1, reduced: reduced.1, convolved: convolved.1,
            InferenceTeam(
                pool: nil,
                scratch: [
                    InferenceScratch(plane: plane.pointer, image: plane.pointer, patches: patches.pointer)
                ]))
        withExtendedLifetime(buffer) {}
        return Self.images(output.1, batch, shape.outputs, outHeight * outWidth)
    }

    private static func rows(
        _ values: [Float], _ images: Int, _ channels: Int, _ area: Int
    ) -> (AlignedBuffer<Scalar>, Rows<Scalar>) {
        let buffer = AlignedBuffer<Scalar>(count: Rows<Scalar>.count(channels: channels, columns: images * area))
        let rows = Rows(buffer, columns: images * area)
        for image in 0..<images {
            for channel in 0..<channels {
                for pixel in 0..<area {
                    rows[channel, image * area + pixel].pointee = Scalar(
                        rounding: values[(image * channels + channel) * area + pixel])
                }
            }
        }
        return (buffer, rows)
    }

    private static func images(_ rows: Rows<Scalar>, _ images: Int, _ channels: Int, _ area: Int) -> [Float] {
        var values: [Float] = []
        for image in 0..<images {
            for channel in 0..<channels {
                values += UnsafeBufferPointer(start: rows[channel, image * area], count: area).lazy.map(\.float)
            }
        }
        return values
    }
}
