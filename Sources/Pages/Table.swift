/// Rows for a section of a page that is left out where there are none.
public struct Table<Row> {
    var rows: [Row]

    public init?(_ rows: [Row]) {
        if rows.isEmpty { return nil }
        self.rows = rows
    }
}
