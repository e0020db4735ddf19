import Glibc
import KernelSets
import Kernels
import Support
import TestSupport
import Testing

@testable import ShuffleNet

/// Every layer's gradient against central differences of a double-precision reference.
@Suite(.oneAtATime) struct CentralDifferenceTests {
    private static let step = 1e-6

    /// Up to `count` indices spread over `0 ..< total`.
    private static func sample(_ total: Int, _ count: Int = 10) -> [Int] {
        total <= count ? Array(0..<total) : (0..<count).map { $0 * total / count + total / (2 * count) }
    }

    /// Checks sampled entries of `gradient` against differences of `loss` in `values[name]`.
    private static func check(
        _ gradient: [Float], _ name: String, _ values: DoubleReference.Values,
        loss: (DoubleReference.Values) -> Double
    ) {
        let scale = Double(gradient.map(abs).max() ?? 0)
        for index in sample(gradient.count) {
            var (up, down) = (values, values)
            up[name]![index] += step
            down[name]![index] -= step
            let slope = (loss(up) - loss(down)) / (2 * step)
            let difference = abs(Double(gradient[index]) - slope)
            #expect(difference <= 2e-4 * scale + 2e-4, "\(name)[\(index)]: \(gradient[index]), difference \(slope)")
        }
    }

    private static func noise(_ count: Int, seed: UInt64) -> [Float] {
        var generator = SeededGenerator(seed: seed, stream: count)
        return (0..<count).map { _ in 2 * generator.nextUnit() - 1 }
    }

    private static func dot(_ a: [Double], _ b: [Float]) -> Double {
        zip(a, b).reduce(0) { $0 + $1.0 * Double($1.1) }
    }

    @Test(
        "A unit's gradients are the differences of its output",
        arguments: [
            (UnitShape(inputs: 48, outputs: 48, groups: 3, isFirst: false, stride: 1), 5, 4),
            (UnitShape(inputs: 24, outputs: 60, groups: 3, isFirst: false, stride: 2), 6, 7),
            (UnitShape(inputs: 6, outputs: 48, groups: 3, isFirst: true, stride: 2), 7, 5),
            (UnitShape(inputs: 64, outputs: 64, groups: 8, isFirst: false, stride: 1), 3, 3),
            (UnitShape(inputs: 24, outputs: 60, groups: 3, isFirst: false, stride: 2), 1, 2),
            (UnitShape(inputs: 48, outputs: 48, groups: 3, isFirst: false, stride: 1), 1, 1),
        ])
    func unit(_ shape: UnitShape, _ height: Int, _ width: Int) throws {
        // Maps of one pixel are what 32-pixel images come to.
        let batch = height * width < 4 ? 5 : 2
        let bench = UnitBench<Float>(shape, height: height, width: width, batch: batch)
        var values: DoubleReference.Values = [:]
        for (seed, specification) in bench.parameters.layout.specifications.enumerated() {
            let offset: Float = specification.kind == .gamma || specification.kind == .movingVariance ? 1 : 0
            let array = Self.noise(specification.count, seed: UInt64(seed + 1)).map { 0.5 * $0 + offset }
            try bench.parameters.write(array, to: specification.name)
            values[specification.name] = array.map(Double.init)
        }
        let input = Self.noise(batch * shape.inputs * height * width, seed: 100)
        let upstream = Self.noise(batch * shape.outputs * bench.unit.outArea, seed: 200)
        values["input"] = input.map(Double.init)
        func output(_ values: DoubleReference.Values) -> [Double] {
            DoubleReference.unit(shape, values["input"]!, values, images: batch, height: height, width: width)
        }
        let result = bench.train(input, upstream: upstream)
        let wanted = output(values).map(Float.init)
        #expect(Difference(result.output, wanted).largest <= 1e-5 * Difference(result.output, wanted).scale)
        func loss(_ values: DoubleReference.Values) -> Double { Self.dot(output(values), upstream) }
        Self.check(result.inputGradient, "input", values, loss: loss)
        for specification in bench.parameters.layout.specifications where specification.isTrainable {
            Self.check(try bench.gradients.read(specification.name), specification.name, values, loss: loss)
        }
    }

    @Test("The stem's gradients are the differences of its output", arguments: [16, 17])
    func stem(_ pixels: Int) throws {
        MatrixProduct.useOneThread()
        let batch = 3
        let channels = 5
        let layout = ParameterLayout([
            .init("first_conv.0.weight", [channels, 3, 3, 3], .convolution),
            .init("first_conv.1.moving_mean", [channels], .movingMean),
            .init("first_conv.1.moving_variance", [channels], .movingVariance),
            .init("first_conv.1.gamma", [channels], .gamma), .init("first_conv.1.beta", [channels], .beta),
        ])
        let parameters = ParameterStore(layout)
        let gradients = ParameterStore(layout)
        var values: DoubleReference.Values = [:]
        for (seed, specification) in layout.specifications.enumerated() {
            // A negative γ too: the pool must see the norm's output, not the convolution's.
            let array = Self.noise(specification.count, seed: UInt64(seed + 1))
            try parameters.write(array, to: specification.name)
            values[specification.name] = array.map(Double.init)
        }
        let stem = TrainedStem<Float>(
            channels: channels, PlacedStem(pixels: pixels), batch: batch, parameters: parameters, gradients: gradients,
            kernels: InstructionSet.current.kernels.float32)
        var needs = TrainingNeeds()
        stem.declare(&needs)
        let workspace = TrainingWorkspace<Float>(needs, pool: ThreadPool(threads: 2))
        let images = Self.noise(batch * 3 * pixels * pixels, seed: 50)
        let planes = AlignedBuffer(images)
        let input = PlanarImages(planes.pointer, pixels: pixels)
        stem.forward(input, count: batch, workspace)
        let area = stem.poolWindow.outArea
        let upstream = Self.noise(batch * channels * area, seed: 60)
        let buffer = AlignedBuffer<Float>(count: Rows<Float>.count(channels: channels, columns: batch * area))
        let rows = Rows(buffer, columns: batch * area)
        var output = upstream
        for image in 0..<batch {
            for channel in 0..<channels {
                for pixel in 0..<area {
                    let index = (image * channels + channel) * area + pixel
                    output[index] = stem.output[channel, image * area + pixel].pointee
                    rows[channel, image * area + pixel].pointee = upstream[index]
                }
            }
        }
        stem.backward(input, gradient: rows, count: batch, workspace)
        withExtendedLifetime(planes) {}
        func reference(_ values: DoubleReference.Values) -> [Double] {
            DoubleReference.stem(images.map(Double.init), values, images: batch, channels: channels, pixels: pixels)
        }
        #expect(Difference(output, reference(values).map(Float.init)).largest <= 1e-5)
        for specification in layout.specifications where specification.isTrainable {
            Self.check(try gradients.read(specification.name), specification.name, values) {
                Self.dot(reference($0), upstream)
            }
        }
    }

    @Test("The head's gradients are the differences of the loss", arguments: [1, 9])
    func head(_ area: Int) throws {
        let (channels, classes, batch, smoothing) = (20, 7, 3, Float(0.1))
        let layout = ParameterLayout([
            .init("classifier.weight", [classes, channels], .denseWeight),
            .init("classifier.bias", [classes], .denseBias),
        ])
        let parameters = ParameterStore(layout)
        let gradients = ParameterStore(layout)
        var values: DoubleReference.Values = [:]
        for (seed, specification) in layout.specifications.enumerated() {
            let array = Self.noise(specification.count, seed: UInt64(seed + 1))
            try parameters.write(array, to: specification.name)
            values[specification.name] = array.map(Double.init)
        }
        let labels: [Int32] = [0, 6, 3]
        let input = Self.noise(channels * batch * area, seed: 9)
        let columns = batch * area
        func rows(_ values: [Float]) -> (AlignedBuffer<Float>, Rows<Float>) {
            let buffer = AlignedBuffer<Float>(count: Rows<Float>.count(channels: channels, columns: columns))
            let rows = Rows(buffer, columns: columns)
            for index in values.indices { rows[index / columns, index % columns].pointee = values[index] }
            return (buffer, rows)
        }
        let x = rows(input)
        let gradient = rows(input.map { _ in .nan })
        let head = TrainedHead<Float>(
            channels: channels, classes: classes, area: area, batch: batch, parameters: parameters,
            gradients: gradients, kernels: InstructionSet.current.kernels.float32)
        let result = head.run(
            x.1, labels: labels, count: batch, loss: LossOptions(labelSmoothing: smoothing), gradient: gradient.1,
            TrainingWorkspace(TrainingNeeds(), pool: ThreadPool(threads: 2)))
        values["input"] = input.map(Double.init)
        func loss(_ values: DoubleReference.Values) -> Double {
            var total = 0.0
            for image in 0..<batch {
                let logits = (0..<classes).map { label in
                    (0..<channels).reduce(values["classifier.bias"]![label]) { sum, channel in
                        let start = channel * columns + image * area
                        let mean = values["input"]![start..<start + area].reduce(0, +) / Double(area)
                        return sum + mean * values["classifier.weight"]![label * channels + channel]
                    }
                }
                let partition = logits.reduce(0) { $0 + exp($1) }
                for label in 0..<classes {
                    let target =
                        (label == labels[image] ? 1 - Double(smoothing) : 0) + Double(smoothing) / Double(classes)
                    total -= target * (logits[label] - log(partition))
                }
            }
            return total / Double(batch)
        }
        #expect(abs(Double(result.loss) - loss(values)) <= 1e-6)
        var inputGradient = input
        for index in input.indices {
            inputGradient[index] = gradient.1[index / columns, index % columns].pointee
        }
        Self.check(inputGradient, "input", values, loss: loss)
        for specification in layout.specifications {
            Self.check(try gradients.read(specification.name), specification.name, values, loss: loss)
        }
        withExtendedLifetime((x.0, gradient.0)) {}
    }
}
