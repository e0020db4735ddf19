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
        var side = (pixels + 1) / 2
        var shapes = [WindowShape(name: "stem pool", kind: .maxPool, window: .same(height: side, width: side))]
        side = (side + 1) / 2
        for (number, first) in configuration.units.filter({ $0.stride == 2 }).enumerated() {
            func depthwise(_ name: String, _ stride: Int) -> WindowShape {
                WindowShape(
                    name: "stage \(number + 2) \(name)", kind: .depthwise,
                    window: .convolution(height: side, width: side, stride: stride))
            }
            shapes.append(
                WindowShape(
                    name: "stage \(number + 2) shortcut", kind: .averagePool, window: .same(height: side, width: side)))
            shapes.append(depthwise("first depthwise", 2))
            side = first.outputSide(side)
            shapes.append(depthwise("depthwise", 1))
        }
        return shapes
    }
}
