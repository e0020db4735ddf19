internal import Kernels

/// `rows` × (`vectors` · laneCount) sums held in registers while the inputs go by.
///
/// Each step loads `vectors` vectors of one input row and broadcasts `rows` weights. Twelve sums hide the latency of
/// two multiply-adds a cycle; the tile has as many as the registers take beside one row's vectors.
struct ProductTile<let rows: Int, let vectors: Int, Scalar: LaneScalar> {
    /// `tiles` of them below each other, from the strip's next row on.
    @inline(never)
    static func run(_ product: PointwiseProduct<Scalar>, _ strip: inout ProductStrip<Scalar>, tiles: Int) {
        for _ in 0..<tiles {
            strip.prefetch(product, rows: rows)
            run(product, &strip)
        }
    }

    @inline(__always)
    private static func run(_ product: PointwiseProduct<Scalar>, _ strip: inout ProductStrip<Scalar>) {
        let row = strip.row
        let column = strip.column
        var sums = TileSums<rows, vectors> { _ in InlineArray { _ in Lanes.zero } }
        var weights = strip.weights
        if Scalar.hasFastInnerProduct && strip.fast.isUsed {
            strip.fast.sum(product.first, column, row: row, &weights, &sums)
            let scale = Lanes(repeating: strip.fast.scale)
            if let bias = product.bias {
                for index in 0..<rows {
                    let bias = Lanes(repeating: bias[row + index])
                    for vector in 0..<vectors { sums[index][vector] = multiplyAdd(bias, sums[index][vector], scale) }
                }
            } else {
                for index in 0..<rows {
                    for vector in 0..<vectors { sums[index][vector] *= scale }
                }
            }
        } else {
            if let bias = product.bias {
                for index in 0..<rows {
                    for vector in 0..<vectors { sums[index][vector] = Lanes(repeating: bias[row + index]) }
                }
            }
            Scalar.accumulate(&sums, product.first, column, &weights)
            if let second = product.second { Scalar.accumulate(&sums, second, column, &weights) }
        }
        if let addend = product.addend {
            for index in 0..<rows {
                let line: InlineArray<vectors, Lanes> = Scalar.line(
                    addend + ((row + index) * product.addendStride + column))
                for vector in 0..<vectors { sums[index][vector] += line[vector] }
            }
        }
        if product.isRectified {
            for index in 0..<rows {
                for vector in 0..<vectors { sums[index][vector] = sums[index][vector].rectified }
            }
        }
        let out = product.out + (row * product.outStride + column)
        for index in 0..<rows { Scalar.store(sums[index], out + index * product.outStride) }
        strip.row += rows
        strip.weights = weights
    }
}

/// How the rows of a matrix are dealt out to tiles: as evenly as can be, so that no tile is padded.
struct RowTiles {
    /// Rows of the largest tile: two vectors a row fill 12 of 16 registers, or 20 of 32. Of more than 20 sums the
    /// compiler keeps a copy in memory that each step of the loop brings up to date.
    static var largest: Int {
        #if WIDE_LANES
            10
        #elseif FUSED || arch(arm64)
            6
        #else
            // Without AVX a vector of eight takes two registers.
            3
        #endif
    }

    let count: Int
    /// Rows of the tiles after the first `taller`, which have one more.
    let height: Int
    let taller: Int

    @inline(__always)
    init(rows: Int) {
        count = (rows + Self.largest - 1) / Self.largest
        height = rows / max(count, 1)
        taller = rows - count * height
    }

    /// First row of a tile.
    @inline(__always)
    func start(_ tile: Int) -> Int { tile * height + min(tile, taller) }

    @inline(__always)
    func rows(_ tile: Int) -> Range<Int> { start(tile)..<start(tile + 1) }
}
