import Kernels
import Support
import TestSupport
import Testing

/// The 3×3 windows, at sizes round the vector width, odd and even, against the plain forms.
@Suite(.oneAtATime) struct PlaneKernelTests {
    struct Plane: Sendable, CustomTestStringConvertible {
        let height: Int
        let width: Int
        var testDescription: String { "\(height)×\(width)" }
    }

    static let planes = [
        (1, 1), (1, 2), (2, 1), (2, 2), (3, 3), (3, 5), (4, 4), (5, 3), (6, 6), (7, 7), (7, 5), (8, 8), (9, 9),
        (13, 16), (14, 14), (15, 17), (16, 33), (28, 28), (31, 32),
    ].map { Plane(height: $0.0, width: $0.1) }

    /// Input with room for whole-vector reads on both sides: garbage there must not matter.
    private struct Input<Scalar: TestScalar> {
        let values: [Float]
        private let memory: FencedMemory<Scalar>
        var pointer: UnsafePointer<Scalar> { UnsafePointer(memory.pointer + 16) }

        init(_ count: Int, seed: UInt64 = 7) throws {
            let stored = noise(count, seed: seed, as: Scalar.self)
            values = stored.floats
            let beside = [Scalar](repeating: Scalar(rounding: .nan), count: 16)
            memory = try FencedMemory(beside + stored + beside + beside + beside)
        }
    }

    private static func scratch(_ window: PlaneWindow) -> Guarded<Float> {
        Guarded([Float](repeating: .nan, count: window.scratchCount))
    }

    /// Planes of a channel: one, and more than are gone over together.
    private func counts(_ window: PlaneWindow) -> [Int] { [1, window.batch + 2] }

    private func forward(_ x: [Float], _ count: Int, _ window: PlaneWindow, kernel: [Float]) -> [Float] {
        let wanted = Guarded<Float>(count: count * window.outArea)
        DepthwiseConvolution.forwardReference(x, count: count, window, kernel: kernel, out: wanted.pointer)
        return wanted.values
    }

    @Test("Depthwise convolution of planes as they lie, and after a norm", arguments: KernelsUnderTest.all, planes)
    func depthwiseForward(_ set: KernelsUnderTest, _ plane: Plane) throws {
        for stride in [1, 2] {
            try checkForward(set.kernels.float32, plane, stride)
            try checkForward(set.kernels.bfloat16, plane, stride)
        }
    }

    private func checkForward<Scalar: TestScalar>(
        _ kernels: any ActivationKernels<Scalar>, _ plane: Plane, _ stride: Int
    ) throws {
        let window = PlaneWindow.convolution(height: plane.height, width: plane.width, stride: stride)
        for count in counts(window) {
            let raw = try Input<Scalar>(count * window.inArea)
            let kernel = noise(9, seed: 8)
            let scratch = Self.scratch(window)
            let plain = Guarded<Scalar>(count: count * window.outArea)
            kernels.depthwiseForward(
                raw.pointer, count: count, window, kernel: kernel, out: plain.pointer, scratch: scratch.pointer)
            #expect(isClose(plain.values, forward(raw.values, count, window, kernel: kernel)))

            let normed = Guarded<Scalar>(count: count * window.outArea)
            kernels.depthwiseForward(
                raw.pointer, count: count, window, scale: 1.3, shift: 0.2, kernel: kernel, out: normed.pointer,
                scratch: scratch.pointer)
            let x = raw.values.map { max(1.3 * $0 + 0.2, 0) }
            #expect(isClose(normed.values, forward(x, count, window, kernel: kernel)))
            #expect(plain.isIntact && normed.isIntact && scratch.isIntact)
        }
    }

    @Test("Depthwise convolution, backward", arguments: KernelsUnderTest.all, planes)
    func depthwiseBackward(_ set: KernelsUnderTest, _ plane: Plane) throws {
        for stride in [1, 2] {
            try checkBackward(set.kernels.float32, plane, stride)
            try checkBackward(set.kernels.bfloat16, plane, stride)
        }
    }

    private func checkBackward<Scalar: TestScalar>(
        _ kernels: any ActivationKernels<Scalar>, _ plane: Plane, _ stride: Int
    ) throws {
        let window = PlaneWindow.convolution(height: plane.height, width: plane.width, stride: stride)
        for count in counts(window) {
            let raw = try Input<Scalar>(count * window.inArea)
            let gradient = try Input<Scalar>(count * window.outArea, seed: 9)
            let kernel = noise(9, seed: 8)
            let scratch = Self.scratch(window)
            let inputGradient = Guarded<Scalar>(count: count * window.inArea)
            let kernelGradient = Guarded([Double](repeating: 0.5, count: 9))
            let sums = kernels.depthwiseBackward(
                gradient: gradient.pointer, raw.pointer, count: count, window, scale: 1.3, shift: 0.2, mean: 0.1,
                kernel: kernel, inputGradient: inputGradient.pointer, kernelGradient: kernelGradient.pointer,
                scratch: scratch.pointer)

            let x = raw.values.map { max(1.3 * $0 + 0.2, 0) }
            let wantedKernel = Guarded([Float](repeating: 0.5, count: 9))
            let wanted = Guarded<Float>(count: count * window.inArea)
            DepthwiseConvolution.backwardReference(
                gradient: gradient.values, x, count: count, window, kernel: kernel, inputGradient: wanted.pointer,
                kernelGradient: wantedKernel.pointer)
            let masked = zip(wanted.values, x).map { $1 > 0 ? $0 : 0 }
            #expect(isClose(inputGradient.values, masked))
            #expect(
                isClose(
                    kernelGradient.values.map(Float.init), wantedKernel.values, rtol: 1e-4, atol: 1e-5 * Float(count)))
            let weighted = zip(masked, raw.values).map { Double($0) * (Double($1) - 0.1) }
            let bound = 1e-6 * Double(100 + x.count)
            #expect(abs(sums.sum - masked.reduce(0) { $0 + Double($1) }) <= bound)
            #expect(abs(sums.weighted - weighted.reduce(0, +)) <= bound)
            #expect(inputGradient.isIntact && kernelGradient.isIntact && scratch.isIntact)
        }
    }

    @Test("Average pool, both ways", arguments: KernelsUnderTest.all, planes)
    func averagePool(_ set: KernelsUnderTest, _ plane: Plane) throws {
        try checkAveragePool(set.kernels.float32, plane)
        try checkAveragePool(set.kernels.bfloat16, plane)
    }

    private func checkAveragePool<Scalar: TestScalar>(_ kernels: any ActivationKernels<Scalar>, _ plane: Plane) throws {
        let window = PlaneWindow.same(height: plane.height, width: plane.width)
        let x = try Input<Scalar>(window.inArea)
        let counts = AlignedBuffer<Float>(count: window.outArea + 32)
        AveragePool.fillInverseCounts(window, into: counts.pointer)
        let out = Guarded<Scalar>(count: window.outArea)
        kernels.averagePoolForward(
            x.pointer, window, inverseCounts: counts.pointer, out: out.pointer)
        let wanted = Guarded<Float>(count: window.outArea)
        AveragePool.forwardReference(x.values, window, out: wanted.pointer)
        #expect(isClose(out.values, wanted.values) && out.isIntact)

        let gradient = try Input<Scalar>(window.outArea, seed: 9)
        let found = Guarded<Scalar>(count: window.inArea)
        let scratch = AlignedBuffer<Float>(count: window.scratchCount)
        kernels.averagePoolBackward(
            gradient: gradient.pointer, out: out.pointer, window, inverseCounts: counts.pointer,
            inputGradient: found.pointer, scratch: scratch.pointer)
        let plain = Guarded<Float>(count: window.inArea)
        AveragePool.backwardReference(
            gradient: gradient.values, out: out.values.floats, window, inputGradient: plain.pointer)
        #expect(isClose(found.values, plain.values) && found.isIntact)
    }

    @Test("Max-pool, with and without its places, and the way back", arguments: KernelsUnderTest.all, planes)
    func maxPool(_ set: KernelsUnderTest, _ plane: Plane) throws {
        try checkMaxPool(set.kernels.float32, plane)
        try checkMaxPool(set.kernels.bfloat16, plane)
    }

    private func checkMaxPool<Scalar: TestScalar>(_ kernels: any ActivationKernels<Scalar>, _ plane: Plane) throws {
        let window = PlaneWindow.same(height: plane.height, width: plane.width)
        let raw = try Input<Scalar>(window.inArea)
        let x = raw.values.map { max(-1.3 * $0 + 0.2, 0) }
        let wanted = Guarded<Float>(count: window.outArea)
        var wantedTaps = [UInt8](repeating: 99, count: window.outArea)
        MaxPool.forwardReference(x, window, out: wanted.pointer, taps: &wantedTaps)

        let alone = Guarded<Scalar>(count: window.outArea)
        kernels.maxPoolForward(raw.pointer, window, out: alone.pointer)
        let plainly = Guarded<Float>(count: window.outArea)
        var ignored = [UInt8](repeating: 0, count: window.outArea)
        MaxPool.forwardReference(raw.values, window, out: plainly.pointer, taps: &ignored)
        #expect(isClose(alone.values, plainly.values) && alone.isIntact)

        let out = Guarded<Scalar>(count: window.outArea)
        let taps = Guarded<UInt8>(count: window.outArea)
        let inputs = Guarded<Scalar>(count: window.outArea)
        let places = MaxPool.Places(taps: taps.pointer, inputs: inputs.pointer)
        kernels.maxPoolForward(raw.pointer, window, scale: -1.3, shift: 0.2, out: out.pointer, places: places)
        #expect(isClose(out.values, wanted.values) && out.isIntact && taps.isIntact && inputs.isIntact)
        for index in 0..<window.outArea where wanted.values[index] <= 0 { wantedTaps[index] = UInt8(MaxPool.closed) }
        #expect(taps.values == wantedTaps)

        let gradient = try Input<Scalar>(window.outArea, seed: 9)
        let found = Guarded(raw.values.map(Scalar.init(rounding:)))
        kernels.maxPoolBackward(
            gradient: gradient.pointer, taps: taps.pointer, window, scale: 2, slope: -0.7, offset: 0.4, found.pointer)
        var plain = raw.values.map { 0.4 - 0.7 * $0 }
        var sum: Float = 0
        var weighted: Float = 0
        for index in 0..<window.outArea where wanted.values[index] > 0 {
            let place = window.inputIndex(
                index / window.outWidth, index % window.outWidth, tap: Int(wantedTaps[index]))!
            #expect(inputs.values[index].float == raw.values[place])
            plain[place] += 2 * gradient.values[index]
            sum += gradient.values[index]
            weighted += gradient.values[index] * (raw.values[place] - 0.3)
        }
        #expect(isClose(found.values, plain) && found.isIntact)
        let sums = kernels.maxPoolGradientSums(gradient: gradient.pointer, places, mean: 0.3, window.outArea)
        #expect(abs(sums.sum - sum) <= 1e-4 && abs(sums.weighted - weighted) <= 1e-4)
    }

    @Test("Same padding puts the odd pixel after the plane", arguments: [(112, 0), (113, 1), (1, 1), (2, 0)])
    func samePadding(_ size: Int, _ before: Int) {
        let window = PlaneWindow.same(height: size, width: size)
        #expect(window.padTop == before && window.padLeft == before)
        #expect(window.outHeight == (size + 1) / 2)
    }

    @Test("Image patches", arguments: KernelsUnderTest.all, planes)
    func patches(_ set: KernelsUnderTest, _ plane: Plane) throws {
        try checkPatches(set.kernels.float32, plane)
        try checkPatches(set.kernels.bfloat16, plane)
    }

    private func checkPatches<Scalar: TestScalar>(_ kernels: any ActivationKernels<Scalar>, _ plane: Plane) throws {
        let window = PlaneWindow.convolution(height: plane.height, width: plane.width, stride: 2)
        // Nothing after the image may be read.
        let image = try FencedMemory(noise(3 * window.inArea))
        for firstRow in 0..<window.outHeight {
            for rowCount in [1, window.outHeight - firstRow] {
                let columns = rowCount * window.outWidth
                let pitch = columns + 16
                let found = Guarded<Scalar>(count: ImagePatches.rows * pitch)
                let wanted = Guarded<Float>(count: ImagePatches.rows * pitch)
                kernels.fillPatches(
                    image.pointer, window, firstRow: firstRow, rowCount: rowCount, patches: found.pointer, pitch: pitch)
                ImagePatches.reference(
                    image.pointer, window, firstRow: firstRow, rowCount: rowCount, patches: wanted.pointer,
                    pitch: pitch)
                for row in 0..<ImagePatches.rows {
                    let range = row * pitch..<row * pitch + columns
                    #expect(Array(found.values[range]) == wanted.values[range].map(Scalar.init(rounding:)))
                }
                #expect(found.isIntact)
            }
        }
    }
}
