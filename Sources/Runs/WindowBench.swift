import Kernels
import ShuffleNet
import Support

/// Planes under a window, and their gradients: one, or where the kernels take more a channel of some images.
final class WindowBench<Scalar: ActivationScalar> {
    private let shape: WindowShape
    private let window: PlaneWindow
    private let count: Int
    private let kernels: any ActivationKernels<Scalar>
    private let kernel: [Float]
    /// Not private, so that a test can poison a value.
    let plane: AlignedBuffer<Scalar>
    private let gradient: AlignedBuffer<Scalar>
    private let output: AlignedBuffer<Scalar>
    private let inputGradient: AlignedBuffer<Scalar>
    private let kernelGradient = AlignedBuffer<Double>(count: 9)
    private let inverseCounts: AlignedBuffer<Float>
    private let scratch: AlignedBuffer<Float>

    /// Elements beside a plane that may be read.
    static var slack: Int { 64 }

    init(_ shape: WindowShape, _ set: any KernelSet) {
        self.shape = shape
        window = shape.window
        count = shape.kind == .depthwise ? 16 : 1
        kernels = Scalar.kernels(of: set)
        var generator = SeededGenerator(seed: 0)
        func noise(_ count: Int) -> [Float] { (0..<count).map { _ in 2 * generator.nextUnit() - 1 } }
        let count = count
        func stored(_ area: Int) -> AlignedBuffer<Scalar> {
            AlignedBuffer(noise(count * area + 2 * Self.slack).map(Scalar.init(rounding:)))
        }
        kernel = noise(9)
        plane = stored(shape.window.inArea)
        gradient = stored(shape.window.outArea)
        output = stored(shape.window.outArea)
        inputGradient = stored(shape.window.inArea)
        inverseCounts = AlignedBuffer(count: shape.window.outArea + Self.slack)
        AveragePool.fillInverseCounts(shape.window, into: inverseCounts.pointer)
        scratch = AlignedBuffer(count: shape.window.scratchCount)
    }

    private func start(_ buffer: AlignedBuffer<Scalar>) -> UnsafeMutablePointer<Scalar> {
        buffer.pointer + Self.slack
    }

    var trials: [KernelTrial] {
        switch shape.kind {
        case .depthwise:
            [
                trial("", 18, reads: window.inArea, writes: window.outArea, forwardError, forward),
                trial(
                    " gradients", 36, reads: window.inArea + window.outArea, writes: window.inArea, backwardError,
                    backward),
            ]
        case .averagePool:
            [
                trial("", 10, reads: window.inArea, writes: window.outArea, averageError, average),
                trial(
                    " gradient", 10, reads: 2 * window.outArea, writes: window.inArea, averageBackwardError,
                    averageBackward),
            ]
        case .maxPool: [trial("", 8, reads: window.inArea, writes: window.outArea, maximumError, maximum)]
        }
    }

    /// - Parameters:
    ///   - operations: for one output.
    ///   - reads: of one plane, like `writes`.
    private func trial(
        _ suffix: String, _ operations: Int, reads: Int, writes: Int, _ difference: @escaping () -> Float,
        _ call: @escaping () -> Void
    ) -> KernelTrial {
        let plane = "\(window.inHeight)×\(window.inWidth)"
        return KernelTrial(
            kernel: shape.name + suffix, shape: count > 1 ? "\(count)×\(plane)" : plane,
            operations: Double(count * operations * window.outArea),
            bytes: Double(count * (reads + writes) * MemoryLayout<Scalar>.stride), difference: difference, call: call)
    }

    private func floats(_ buffer: AlignedBuffer<Scalar>, _ count: Int) -> [Float] {
        UnsafeBufferPointer(start: start(buffer), count: count).map(\.float)
    }

    private func largest(_ found: [Float], _ wanted: [Float]) -> Float {
        zip(found, wanted).reduce(0) { largerDifference($0, KernelTrial.difference($1.0, $1.1)) }
    }

    // MARK: Depthwise convolution

    private func forward() {
        kernels.depthwiseForward(
            start(plane), count: count, window, kernel: kernel, out: start(output), scratch: scratch.pointer)
    }

    private func forwardError() -> Float {
        forward()
        var wanted = [Float](repeating: 0, count: count * window.outArea)
        DepthwiseConvolution.forwardReference(
            floats(plane, count * window.inArea), count: count, window, kernel: kernel, out: &wanted)
        return largest(floats(output, count * window.outArea), wanted)
    }

    private func backward() {
        _ = kernels.depthwiseBackward(
            gradient: start(gradient), start(plane), count: count, window, scale: 1, shift: 0.5, mean: 0,
            kernel: kernel, inputGradient: start(inputGradient), kernelGradient: kernelGradient.pointer,
            scratch: scratch.pointer)
    }

    private func backwardError() -> Float {
        backward()
        let x = floats(plane, count * window.inArea).map { max($0 + 0.5, 0) }
        var wanted = [Float](repeating: 0, count: count * window.inArea)
        var wantedKernel = [Float](repeating: 0, count: 9)
        DepthwiseConvolution.backwardReference(
            gradient: floats(gradient, count * window.outArea), x, count: count, window, kernel: kernel,
            inputGradient: &wanted, kernelGradient: &wantedKernel)
        for index in x.indices where x[index] <= 0 { wanted[index] = 0 }
        let found = (0..<9).map { Float(kernelGradient.pointer[$0]) }
        return largerDifference(largest(floats(inputGradient, x.count), wanted), largest(found, wantedKernel))
    }

    // MARK: Pools

    private func average() {
        kernels.averagePoolForward(
            start(plane), window, inverseCounts: inverseCounts.pointer, out: start(output))
    }

    private func averageError() -> Float {
        average()
        var wanted = [Float](repeating: 0, count: window.outArea)
        AveragePool.forwardReference(floats(plane, window.inArea), window, out: &wanted)
        return largest(floats(output, window.outArea), wanted)
    }

    private func averageBackward() {
        kernels.averagePoolBackward(
            gradient: start(gradient), out: start(output), window, inverseCounts: inverseCounts.pointer,
            inputGradient: start(inputGradient), scratch: scratch.pointer)
    }

    private func averageBackwardError() -> Float {
        averageBackward()
        var wanted = [Float](repeating: 0, count: window.inArea)
        AveragePool.backwardReference(
            gradient: floats(gradient, window.outArea), out: floats(output, window.outArea), window,
            inputGradient: &wanted)
        return largest(floats(inputGradient, window.inArea), wanted)
    }

    private func maximum() {
        kernels.maxPoolForward(start(plane), window, out: start(output))
    }

    private func maximumError() -> Float {
        maximum()
        var wanted = [Float](repeating: 0, count: window.outArea)
        var taps = [UInt8](repeating: 0, count: window.outArea)
        MaxPool.forwardReference(
            floats(plane, window.inArea), window, out: &wanted, taps: &taps)
        return largest(floats(output, window.outArea), wanted)
    }
}
