/// A matrix W `[rows][columns]` as a kernel set's `pack` orders it for `multiply`: a view of memory that the holder keeps.
public struct PackedWeights {
    public let pointer: UnsafeMutablePointer<Float>
    public let rows: Int
    public let columns: Int

    /// Floats that such a matrix takes; a set may need the last ones for what it adds to each row and to all.
    public static func count(rows: Int, columns: Int) -> Int { rows * columns + rows + 2 }

    /// Number `group` of matrices of this shape that lie one after the other at `base`.
    public init(_ base: UnsafeMutablePointer<Float>, group: Int = 0, rows: Int, columns: Int) {
        pointer = base + group * Self.count(rows: rows, columns: columns)
        self.rows = rows
        self.columns = columns
    }
}

/// Which part of a matrix of weights to pack, and how it lies: element (row, column) at `row·rowStride +
/// column·columnStride`, so that a transposed matrix is packed as it is.
public struct WeightBlock {
    public var pointer: UnsafePointer<Float>
    public var rowStride: Int
    public var columnStride: Int
    public var columns: Int

    public init(_ pointer: UnsafePointer<Float>, rowStride: Int, columnStride: Int = 1, columns: Int) {
        self.pointer = pointer
        self.rowStride = rowStride
        self.columnStride = columnStride
        self.columns = columns
    }
}
