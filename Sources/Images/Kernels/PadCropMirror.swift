/// Crops packed RGB `inp[H][W][3]` as if it had a black border: `out` has the same size and shows the part that begins
/// at (`left`, `top`) of the picture's own coordinates (negative: in the border). `mirrored` turns each row round.
func padCropMirror(
    _ inp: UnsafePointer<UInt8>, width: Int, height: Int, left: Int, top: Int, mirrored: Bool,
    into out: UnsafeMutablePointer<UInt8>
) {
    var to = out
    for y in 0..<height {
        let sourceY = top + y
        for x in 0..<width {
            let sourceX = left + (mirrored ? width - 1 - x : x)
            if sourceY >= 0 && sourceY < height && sourceX >= 0 && sourceX < width {
                let from = inp + (sourceY * width + sourceX) * 3
                (to[0], to[1], to[2]) = (from[0], from[1], from[2])
            } else {
                (to[0], to[1], to[2]) = (0, 0, 0)
            }
            to += 3
        }
    }
}
