import Kernels

@testable import ShuffleNet

/// The layers in training mode, in double precision and plain loops over NCHW arrays: what gradients are the
/// differences of.
enum DoubleReference {
    typealias Values = [String: [Double]]

    /// Batch norm with batch statistics, then ReLU if asked; `x` `[images][channels][area]`.
    static func norm(
        _ x: [Double], _ name: String, _ values: Values, images: Int, channels: Int, area: Int, rectify: Bool
    ) -> [Double] {
        var out = x
        let count = Double(images * area)
        for channel in 0..<channels {
            var indices: [Int] = []
            for image in 0..<images {
                let start = (image * channels + channel) * area
                indices += start..<start + area
            }
            let mean = indices.reduce(0) { $0 + x[$1] } / count
            let variance = indices.reduce(0) { $0 + (x[$1] - mean) * (x[$1] - mean) } / count
            let scale = values[name + ".gamma"]![channel] / (variance + BatchNorm.epsilon).squareRoot()
            for index in indices {
                let value = (x[index] - mean) * scale + values[name + ".beta"]![channel]
                out[index] = rectify ? max(value, 0) : value
            }
        }
        return out
    }

    /// Grouped 1×1 convolution; weights `[outputs][inputs / groups]`, groups one after the other.
    static func pointwise(
        _ x: [Double], _ weights: [Double], images: Int, inputs: Int, outputs: Int, groups: Int, area: Int
    ) -> [Double] {
        var out = [Double](repeating: 0, count: images * outputs * area)
        let inner = inputs / groups
        for image in 0..<images {
            for output in 0..<outputs {
                let first = output / (outputs / groups) * inner
                for pixel in 0..<area {
                    var sum = 0.0
                    for input in 0..<inner {
                        sum += weights[output * inner + input] * x[(image * inputs + first + input) * area + pixel]
                    }
                    out[(image * outputs + output) * area + pixel] = sum
                }
            }
        }
        return out
    }

    /// A whole unit; `values` by the names of `UnitShape.parameters(prefix: "")`.
    static func unit(
        _ shape: UnitShape, _ x: [Double], _ values: Values, images: Int, height: Int, width: Int
    ) -> [Double] {
        func convolution(_ name: String, _ groups: Int) -> [Double] {
            (0..<groups).flatMap { values["\(name).convs.\($0).weight"]! }
        }
        let inArea = height * width
        let window = PlaneWindow.convolution(height: height, width: width, stride: shape.stride)
        let area = window.outArea
        let middle = shape.middle
        let reduced = norm(
            pointwise(
                x, convolution("branch_main_1.0", shape.reduceGroups), images: images, inputs: shape.inputs,
                outputs: middle, groups: shape.reduceGroups, area: inArea),
            "branch_main_1.1", values, images: images, channels: middle, area: inArea, rectify: true)
        var convolved = [Double](repeating: 0, count: images * middle * area)
        let kernels = values["branch_main_2.0.weight"]!
        for image in 0..<images {
            for channel in 0..<middle {
                // The shuffle, as the source document's code has it: reshape to [n][g], transpose, flatten.
                let perGroup = middle / shape.groups
                let source = channel % perGroup * shape.groups + channel / perGroup
                let plane = Array(reduced[(image * middle + source) * inArea..<(image * middle + source + 1) * inArea])
                let kernel = Array(kernels[9 * channel..<9 * channel + 9])
                convolved.withUnsafeMutableBufferPointer {
                    DepthwiseConvolution.forwardReference(
                        plane, count: 1, window, kernel: kernel,
                        out: $0.baseAddress! + (image * middle + channel) * area)
                }
            }
        }
        let branch = norm(
            pointwise(
                norm(
                    convolved, "branch_main_2.1", values, images: images, channels: middle, area: area, rectify: false),
                convolution("branch_main_2.2", shape.groups), images: images, inputs: middle,
                outputs: shape.branchOutputs, groups: shape.groups, area: area),
            "branch_main_2.3", values, images: images, channels: shape.branchOutputs, area: area, rectify: false)
        if shape.stride == 1 { return zip(x, branch).map { max($0 + $1, 0) } }
        let pool = PlaneWindow.same(height: height, width: width)
        var out: [Double] = []
        for image in 0..<images {
            for channel in 0..<shape.inputs {
                let start = (image * shape.inputs + channel) * inArea
                var plane = [Double](repeating: 0, count: area)
                AveragePool.forwardReference(Array(x[start..<start + inArea]), pool, out: &plane)
                out += plane
            }
            let start = image * shape.branchOutputs * area
            out += branch[start..<start + shape.branchOutputs * area].map { max($0, 0) }
        }
        return out
    }

    /// First convolution, norm, ReLU, max-pool.
    static func stem(_ x: [Double], _ values: Values, images: Int, channels: Int, pixels: Int) -> [Double] {
        let window = PlaneWindow.convolution(height: pixels, width: pixels, stride: 2)
        let area = window.outArea
        var raw: [Double] = []
        for image in 0..<images {
            var patches = [Double](repeating: 0, count: 27 * area)
            let start = image * 3 * pixels * pixels
            ImagePatches.reference(
                Array(x[start..<start + 3 * pixels * pixels]), window, firstRow: 0, rowCount: window.outHeight,
                patches: &patches, pitch: area)
            raw += pointwise(
                patches, values["first_conv.0.weight"]!, images: 1, inputs: 27, outputs: channels, groups: 1,
                area: area)
        }
        let normed = norm(
            raw, "first_conv.1", values, images: images, channels: channels, area: area, rectify: true)
        let pool = PlaneWindow.same(height: window.outHeight, width: window.outWidth)
        var out: [Double] = []
        for plane in 0..<images * channels {
            var pooled = [Double](repeating: 0, count: pool.outArea)
            var taps = [UInt8](repeating: 0, count: pool.outArea)
            MaxPool.forwardReference(
                Array(normed[plane * area..<(plane + 1) * area]), pool, out: &pooled, taps: &taps)
            out += pooled
        }
        return out
    }
}
