public import Kernels

/// One of the network's 1×1 convolutions, as a matrix product of one group.
public struct ProductShape: Hashable, Sendable {
    /// For instance `stage 2 reduce`.
    public let name: String
    public let rows: Int
    public let inner: Int
    /// Pixels of the map that it runs over.
    public let area: Int

    /// How far apart the engine lays rows of `columns`, in elements.
    public static func stride<Scalar: ActivationScalar>(columns: Int, of _: Scalar.Type) -> Int {
        Rows<Scalar>.stride(columns: columns)
    }

    /// Those that make up nearly all of the network's arithmetic: the products of each stage's units of stride 1.
    public static func all(of configuration: NetworkConfiguration, pixels: Int) -> [ProductShape] {
        // Convolution and pool of the stem halve the picture, rounding up.
        var side = ((pixels + 1) / 2 + 1) / 2
        var shapes: [ProductShape] = []
        for (index, unit) in configuration.units.enumerated() {
            side = unit.outputSide(side)
            let isSecondOfStage = unit.stride == 1 && configuration.units[index - 1].stride == 2
            guard isSecondOfStage else { continue }
            let stage = "stage \(shapes.count / 2 + 2)"
            shapes.append(
                ProductShape(
                    name: stage + " reduce", rows: unit.reduceRows, inner: unit.reduceColumns, area: side * side))
            shapes.append(
                ProductShape(
                    name: stage + " expand", rows: unit.expandRows, inner: unit.expandColumns, area: side * side))
        }
        return shapes
    }
}
