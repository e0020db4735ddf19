package import Kernels

/// The network laid over square images of one size: which window each layer moves over which map.
package struct NetworkGeometry {
    package let stem: PlacedStem
    package let units: [PlacedUnit]

    /// - Parameter pixels: side of the images, at least `NetworkConfiguration.minimumPixels`.
    package init(_ configuration: NetworkConfiguration, pixels: Int) {
        precondition(
            pixels >= NetworkConfiguration.minimumPixels,
            "the network wants images of at least \(NetworkConfiguration.minimumPixels) pixels, not \(pixels)")
        stem = PlacedStem(pixels: pixels)
        var units: [PlacedUnit] = []
        for (index, shape) in configuration.units.enumerated() {
            let before = units.last?.window ?? stem.pool
            units.append(
                PlacedUnit(
                    shape, height: before.outHeight, width: before.outWidth,
                    prefix: NetworkConfiguration.prefix(ofUnit: index)))
        }
        self.units = units
    }

    /// Pixels of the map that reaches the head.
    var lastArea: Int { units[units.count - 1].window.outArea }

    /// Where each stage's first unit stands among the units.
    var stageStarts: [Int] { units.indices.filter { units[$0].shape.stride == 2 } }
}

/// The windows of the first convolution and the max-pool behind it.
package struct PlacedStem {
    package let convolution: PlaneWindow
    package let pool: PlaneWindow

    init(pixels: Int) {
        convolution = .convolution(height: pixels, width: pixels, stride: 2)
        pool = .same(height: convolution.outHeight, width: convolution.outWidth)
    }
}

/// A unit, the map that it reads, and what its parameters' names begin with.
package struct PlacedUnit {
    package let shape: UnitShape
    package let prefix: String
    /// Of the depthwise convolution, which alone changes the map's size.
    package let window: PlaneWindow
    /// Of the shortcut's average pool, at stride 2.
    package let shortcut: PlaneWindow?

    init(_ shape: UnitShape, height: Int, width: Int, prefix: String) {
        self.shape = shape
        self.prefix = prefix
        window = .convolution(height: height, width: width, stride: shape.stride)
        shortcut = shape.stride == 2 ? .same(height: height, width: width) : nil
    }
}
