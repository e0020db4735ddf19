import Kernels
import Support

/// Channel-major activations `[channels][columns]`, columns running over images, then rows, then pixels of a row.
///
/// A view: whoever holds it keeps the memory alive. A channel is one row, so groups, concatenation and the shuffle are
/// row numbers, and nothing is copied for them.
struct Rows<Scalar: ActivationScalar> {
    let pointer: UnsafeMutablePointer<Scalar>
    /// Elements from one channel to the next.
    let stride: Int

    @inline(__always)
    subscript(channel: Int, column: Int) -> UnsafeMutablePointer<Scalar> {
        pointer + (channel * stride + column)
    }

    /// The columns from `column` on.
    func advanced(by column: Int) -> Rows { Rows(pointer: pointer + column, stride: stride) }

    /// The rows from `channel` on.
    func dropping(channels: Int) -> Rows { Rows(pointer: pointer + channels * stride, stride: stride) }

    /// The row stride for `columns`: whole cache lines, an odd number of them so that equal columns of many channels
    /// do not fall into one cache set, with slack for kernels that read or write whole vectors over a plane's end.
    static func stride(columns: Int) -> Int {
        let line = 64 / MemoryLayout<Scalar>.stride
        let lines = (columns + KernelSlack.written + line - 1) / line
        return (lines | 1) * line
    }

    /// Elements before the first row, a whole cache line of the narrowest scalar.
    private static var lead: Int { (KernelSlack.before + 31) / 32 * 32 }

    /// Elements that `channels` rows of `columns` need.
    static func count(channels: Int, columns: Int) -> Int {
        lead + channels * stride(columns: columns) + KernelSlack.after
    }

    init(pointer: UnsafeMutablePointer<Scalar>, stride: Int) {
        self.pointer = pointer
        self.stride = stride
    }

    /// Rows for `columns` in memory that is at least `count(channels:columns:)` long.
    init(_ buffer: AlignedBuffer<Scalar>, columns: Int) {
        pointer = buffer.pointer + Self.lead
        stride = Self.stride(columns: columns)
    }
}
