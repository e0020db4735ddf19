/// Partial sums of a fixed number of column slots, added in slot order so that threads cannot change the result.
public enum SlotSum {
    /// Values whose sums stay in the first-level cache while the slots go by.
    private static let chunk = 512

    /// `out[i] = Σ_slot slots[slot·pitch + i]` for `count` values.
    public static func reduce(
        _ slots: UnsafePointer<Float>, slotCount: Int, pitch: Int, out: UnsafeMutablePointer<Float>, _ count: Int
    ) {
        add(slots, slotCount, pitch, to: out, count)
    }

    /// The same into double precision.
    public static func reduce(
        _ slots: UnsafePointer<Float>, slotCount: Int, pitch: Int, out: UnsafeMutablePointer<Double>, _ count: Int
    ) {
        add(slots, slotCount, pitch, to: out, count)
    }

    /// A slot after the other, so that each is a loop over vectors.
    @inline(__always)
    private static func add<Sum: BinaryFloatingPoint>(
        _ slots: UnsafePointer<Float>, _ slotCount: Int, _ pitch: Int, to out: UnsafeMutablePointer<Sum>, _ count: Int
    ) {
        for first in stride(from: 0, to: count, by: chunk) {
            let sums = out + first
            let length = min(chunk, count - first)
            for index in 0..<length { sums[index] = Sum(slots[first + index]) }
            for slot in 1..<max(slotCount, 1) {
                let values = slots + (slot * pitch + first)
                for index in 0..<length { sums[index] += Sum(values[index]) }
            }
        }
    }
}
