/// Partial sums of a fixed number of column slots, added in slot order so that threads cannot change the result.
public enum SlotSum {
    /// `out[i] = Σ_slot slots[slot·pitch + i]` for `count` values.
    public static func reduce(
        _ slots: UnsafePointer<Float>, slotCount: Int, pitch: Int, out: UnsafeMutablePointer<Float>, _ count: Int
    ) {
        var index = 0
        while index < count {
            var sum: Float = slots[index]
            for slot in 1..<max(slotCount, 1) { sum += slots[slot * pitch + index] }
            out[index] = sum
            index += 1
        }
    }

    /// The same into double precision.
    public static func reduce(
        _ slots: UnsafePointer<Float>, slotCount: Int, pitch: Int, out: UnsafeMutablePointer<Double>, _ count: Int
    ) {
        for index in 0..<count {
            var sum = Double(slots[index])
            for slot in 1..<max(slotCount, 1) { sum += Double(slots[slot * pitch + index]) }
            out[index] = sum
        }
    }
}
