/// The geometry of a 3×3 window over one image's plane.
public struct PlaneWindow: Sendable, Hashable {
    public let inHeight: Int
    public let inWidth: Int
    public let outHeight: Int
    public let outWidth: Int
    public let stride: Int
    /// Padding before the first row and column; what comes after follows from the sizes.
    public let padTop: Int
    public let padLeft: Int

    /// Elements kept free on both sides of every area of scratch: whole cache lines, enough for either.
    package static var slack: Int { KernelSlack.before + KernelSlack.after }

    /// Padding 1 on all sides, stride 1 or 2: PyTorch's `padding=1`, MindSpore's `pad_mode='pad', padding=1`.
    public static func convolution(height: Int, width: Int, stride: Int) -> PlaneWindow {
        PlaneWindow(height: height, width: width, stride: stride, padTop: 1, padLeft: 1)
    }

    /// MindSpore's `pad_mode='same'` at stride 2: P = max((out − 1)·2 + 3 − in, 0), ⌊P / 2⌋ of it before.
    public static func same(height: Int, width: Int) -> PlaneWindow {
        func before(_ size: Int) -> Int { max(((size + 1) / 2 - 1) * 2 + 3 - size, 0) / 2 }
        return PlaneWindow(
            height: height, width: width, stride: 2, padTop: before(height), padLeft: before(width))
    }

    private init(height: Int, width: Int, stride: Int, padTop: Int, padLeft: Int) {
        precondition(stride == 1 || stride == 2, "a window's stride is 1 or 2, not \(stride)")
        inHeight = height
        inWidth = width
        outHeight = (height + stride - 1) / stride
        outWidth = (width + stride - 1) / stride
        self.stride = stride
        self.padTop = padTop
        self.padLeft = padLeft
    }

    public var inArea: Int { inHeight * inWidth }
    public var outArea: Int { outHeight * outWidth }

    /// Planes that are gone over together: some thousand elements, so that what is made of one is out of the way to the
    /// first-level cache by the time it is read again, and still there.
    package var batch: Int { max(1, 2048 / densePitch) }
    /// From one plane of a batch in scratch to the next: as they lie, with zeros between.
    package var densePitch: Int { inArea + 32 }
    /// At stride 1: a batch with slack on both sides, of which two have room.
    package var denseCount: Int { batch * densePitch + 2 * Self.slack }
    /// Floats of scratch that an operation on this window needs.
    public var scratchCount: Int { stride == 1 ? 2 * denseCount : outArea + 2 * Self.slack }
}

extension PlaneWindow {
    /// Index in the input plane of tap `tap` of output (y, x), nil in the padding.
    public func inputIndex(_ y: Int, _ x: Int, tap: Int) -> Int? {
        let row = y * stride + tap / 3 - padTop
        let column = x * stride + tap % 3 - padLeft
        guard row >= 0 && row < inHeight && column >= 0 && column < inWidth else { return nil }
        return row * inWidth + column
    }
}
