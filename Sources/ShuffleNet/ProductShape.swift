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
        let geometry = NetworkGeometry(configuration, pixels: pixels)
        return geometry.stageStarts.enumerated().flatMap { number, start in
            let stage = "stage \(number + 2)"
            let (shape, area) = (geometry.units[start + 1].shape, geometry.units[start + 1].window.outArea)
            return [
                ProductShape(name: stage + " reduce", rows: shape.reduceRows, inner: shape.reduceColumns, area: area),
                ProductShape(name: stage + " expand", rows: shape.expandRows, inner: shape.expandColumns, area: area),
            ]
        }
    }
}
