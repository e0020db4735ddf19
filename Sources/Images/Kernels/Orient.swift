/// Turns a stored picture upright: packed RGB `[H][W][3]` in, `[H][W][3]` or, for orientations 5 to 8, `[W][H][3]` out.
///
/// Each output row is a walk over the input with a fixed step, so that the orientation is three numbers.
func orient(
    _ orientation: EXIFOrientation, _ inp: UnsafePointer<UInt8>, width: Int, height: Int,
    into out: UnsafeMutablePointer<UInt8>
) {
    let (first, alongX, alongY): (Int, Int, Int)
    switch orientation {
    case .upright: (first, alongX, alongY) = (0, 1, width)
    case .mirrored: (first, alongX, alongY) = (width - 1, -1, width)
    case .upsideDown: (first, alongX, alongY) = (height * width - 1, -1, -width)
    case .flipped: (first, alongX, alongY) = ((height - 1) * width, 1, -width)
    case .transposed: (first, alongX, alongY) = (0, width, 1)
    case .quarterTurnRight: (first, alongX, alongY) = ((height - 1) * width, -width, 1)
    case .transverse: (first, alongX, alongY) = (height * width - 1, -width, -1)
    case .quarterTurnLeft: (first, alongX, alongY) = (width - 1, width, -1)
    }
    let (rows, columns) = orientation.swapsSides ? (width, height) : (height, width)
    // Tiles keep the strided side of a quarter turn in cache.
    let tile = 64
    for top in stride(from: 0, to: rows, by: tile) {
        for left in stride(from: 0, to: columns, by: tile) {
            for y in top..<min(top + tile, rows) {
                var from = inp + (first + y * alongY + left * alongX) * 3
                var to = out + (y * columns + left) * 3
                for _ in left..<min(left + tile, columns) {
                    to[0] = from[0]
                    to[1] = from[1]
                    to[2] = from[2]
                    to += 3
                    from += alongX * 3
                }
            }
        }
    }
}
