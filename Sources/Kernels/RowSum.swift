/// The sum of a stretch of one row.
public enum RowSum {
    public static func sum(_ row: UnsafePointer<Float>, _ count: Int) -> Float {
        var sum0 = Lanes.zero
        var sum1 = Lanes.zero
        var index = 0
        while index + 2 * laneCount <= count {
            sum0 += row.lanes(index)
            sum1 += row.lanes(index + laneCount)
            index += 2 * laneCount
        }
        var rest: Float = 0
        while index < count {
            rest += row[index]
            index += 1
        }
        return (sum0 + sum1).total + rest
    }

    /// `row -= mean`, in place.
    public static func centre(_ row: UnsafeMutablePointer<Float>, _ count: Int, by mean: Float) {
        var index = 0
        while index + laneCount <= count {
            row.store(row.lanes(index) - mean, index)
            index += laneCount
        }
        while index < count {
            row[index] -= mean
            index += 1
        }
    }
}
