/// Turns a row of packed RGB `row[width][3]` round.
func mirrorRow(_ row: UnsafePointer<UInt8>, width: Int, into out: UnsafeMutablePointer<UInt8>) {
    for x in 0..<width {
        let from = row + (width - 1 - x) * 3
        let to = out + x * 3
        (to[0], to[1], to[2]) = (from[0], from[1], from[2])
    }
}
