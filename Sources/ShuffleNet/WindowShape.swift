public import Kernels

/// A 3×3 window that the network moves over one channel's plane.
public struct WindowShape: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case depthwise, averagePool, maxPool
    }

    /// For instance `stage 2 depthwise`.
    public let name: String
    public let kind: Kind
    public let window: PlaneWindow

    /// The stem's pool, and each stage's shortcut and depthwise convolutions.
    public static func all(of configuration: NetworkConfiguration, pixels: Int) -> [WindowShape] {
        let geometry = NetworkGeometry(configuration, pixels: pixels)
        var shapes = [WindowShape(name: "stem pool", kind: .maxPool, window: geometry.stem.pool)]
        for (number, start) in geometry.stageStarts.enumerated() {
            let stage = "stage \(number + 2)"
            let (first, second) = (geometry.units[start], geometry.units[start + 1])
            if let shortcut = first.shortcut {
                shapes.append(WindowShape(name: stage + " shortcut", kind: .averagePool, window: shortcut))
            }
            shapes.append(WindowShape(name: stage + " first depthwise", kind: .depthwise, window: first.window))
            shapes.append(WindowShape(name: stage + " depthwise", kind: .depthwise, window: second.window))
        }
        return shapes
    }
}
