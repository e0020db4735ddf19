/// For every element of a plane, which neighbours of a 3×3 window at stride 1 lie inside it: masks of all bits or none,
/// so that a plane is convolved as one long row whatever its width.
///
/// Each table is `[height·width]` and zero for a vector's length beyond; past a plane's end everything is masked out.
public final class EdgeMasks {
    /// Where the column to the left (right) is inside.
    package let left: UnsafePointer<UInt32>
    package let right: UnsafePointer<UInt32>
    /// Where the row above (below) is inside.
    package let above: UnsafePointer<UInt32>
    package let below: UnsafePointer<UInt32>
    private let memory: UnsafeMutableBufferPointer<UInt32>

    /// - Parameter window: at stride 2 nothing is kept, as its kernels do not ask.
    public init(_ window: PlaneWindow) {
        let area = window.stride == 1 ? window.inArea : 0
        let pitch = area + PlaneWindow.slack
        memory = .allocate(capacity: 4 * pitch)
        memory.initialize(repeating: 0)
        for index in 0..<area {
            let (y, x) = index.quotientAndRemainder(dividingBy: window.inWidth)
            if x > 0 { memory[index] = .max }
            if x < window.inWidth - 1 { memory[pitch + index] = .max }
            if y > 0 { memory[2 * pitch + index] = .max }
            if y < window.inHeight - 1 { memory[3 * pitch + index] = .max }
        }
        let start = UnsafePointer(memory.baseAddress!)
        (left, right, above, below) = (start, start + pitch, start + 2 * pitch, start + 3 * pitch)
    }

    deinit { memory.deallocate() }
}
