import KernelSets
import Kernels
import Support

@testable import ShuffleNet

/// One unit by itself, with its own parameters, on images in NCHW order: what the unit tests drive.
final class UnitBench<Scalar: ActivationScalar> {
    let shape: UnitShape
    let batch: Int
    let parameters: ParameterStore
    let gradients: ParameterStore
    let unit: TrainedUnit<Scalar>
    private let placed: PlacedUnit
    private let kernels: any ActivationKernels<Scalar>
    private let workspace: TrainingWorkspace<Scalar>

    private var inArea: Int { placed.window.inArea }
    private var outArea: Int { placed.window.outArea }

    init(
        _ shape: UnitShape, height: Int, width: Int, batch: Int, threads: Int = 2,
        instructionSet: InstructionSet = .current
    ) {
        MatrixProduct.useOneThread()
        self.shape = shape
        self.batch = batch
        placed = PlacedUnit(shape, height: height, width: width, prefix: "")
        kernels = Scalar.kernels(of: instructionSet.kernels)
        let layout = ParameterLayout(shape.parameters(prefix: ""))
        parameters = ParameterStore(layout)
        gradients = ParameterStore(layout)
        unit = TrainedUnit(placed, batch: batch, parameters: parameters, gradients: gradients, kernels: kernels)
        var needs = TrainingNeeds()
        unit.declare(&needs)
        workspace = TrainingWorkspace(needs, pool: ThreadPool(threads: threads))
    }

    /// Forward and backward in training mode. Returns the output and the gradient at the input, both NCHW.
    func train(_ input: [Float], upstream: [Float]) -> (output: [Float], inputGradient: [Float]) {
        let (inputBuffer, inputRows) = Self.rows(input, batch, shape.inputs, inArea)
        let (upstreamBuffer, gradient) = Self.rows(upstream, batch, shape.outputs, outArea)
        _ = unit.forward(inputRows, images: batch, isReduced: false, next: nil, workspace)
        let output = Self.images(unit.output, batch, shape.outputs, outArea)
        let (apart, apartRows) = Self.rows(
            [Float](repeating: .nan, count: input.count), batch, shape.inputs, inArea)
        let inputGradient = shape.stride == 1 ? gradient : apartRows
        _ = unit.backward(
            inputRows, gradient: gradient, inputGradient: inputGradient, images: batch, isCorrelated: false,
            previous: nil, workspace)
        let result = Self.images(inputGradient, batch, shape.inputs, inArea)
        withExtendedLifetime([inputBuffer, upstreamBuffer, apart]) {}
        return (output, result)
    }

    /// The unit in evaluation mode, with its running statistics.
    func evaluate(_ input: [Float]) -> [Float] {
        let folded = FoldedUnit(placed, kernels: kernels)
        _ = folded.fold(parameters, inputSquare: 1)
        let (buffer, rows) = Self.rows(input, batch, shape.inputs, inArea)
        func empty(_ channels: Int, _ area: Int) -> (AlignedBuffer<Scalar>, Rows<Scalar>) {
            Self.rows([Float](repeating: .nan, count: batch * channels * area), batch, channels, area)
        }
        let output = empty(shape.outputs, outArea)
        let reduced = empty(shape.middle, inArea)
        let convolved = empty(shape.middle, outArea)
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
        return Self.images(output.1, batch, shape.outputs, outArea)
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
