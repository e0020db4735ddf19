/// Shrinks packed RGB `inp[H][W][3]` by whole factors to `out[⌈H/fy⌉][⌈W/fx⌉][3]`, each pixel the mean of its block
/// (blocks at the right and lower edge may be smaller).
func averageBlocks(
    _ inp: UnsafePointer<UInt8>, width: Int, height: Int, factorX: Int, factorY: Int,
    into out: UnsafeMutablePointer<UInt8>
) {
    var to = out
    for top in stride(from: 0, to: height, by: factorY) {
        let rows = min(factorY, height - top)
        for left in stride(from: 0, to: width, by: factorX) {
            let columns = min(factorX, width - left)
            var sum = SIMD4<Int>(repeating: rows * columns / 2)
            for y in top..<top + rows {
                for x in left..<left + columns {
                    let pixel = inp + (y * width + x) * 3
                    sum &+= SIMD4(Int(pixel[0]), Int(pixel[1]), Int(pixel[2]), 0)
                }
            }
            for c in 0..<3 { to[c] = UInt8(sum[c] / (rows * columns)) }
            to += 3
        }
    }
}
