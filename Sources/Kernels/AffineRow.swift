/// `row = slope·row + offset`, in place.
public enum AffineRow {
    public static func apply(_ row: UnsafeMutablePointer<Float>, slope: Float, offset: Float, _ count: Int) {
        let slopes = Lanes(repeating: slope)
        let offsets = Lanes(repeating: offset)
        var index = 0
        while index + laneCount <= count {
            row.store(multiplyAdd(offsets, row.lanes(index), slopes), index)
            index += laneCount
        }
        while index < count {
            row[index] = offset + row[index] * slope
            index += 1
        }
    }
}
