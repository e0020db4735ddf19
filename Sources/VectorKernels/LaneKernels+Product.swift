public import Kernels

extension LaneKernels {
    public func pack(_ blocks: [WeightBlock], rows: Int, into packed: UnsafeMutablePointer<Float>) {
        let tiles = RowTiles(rows: rows)
        var target = packed
        for tile in 0..<tiles.count {
            let range = tiles.start(tile)..<tiles.start(tile + 1)
            for block in blocks {
                for column in 0..<block.columns {
                    for row in range {
                        target.pointee = block.pointer[row * block.rowStride + column * block.columnStride]
                        target += 1
                    }
                }
            }
        }
    }

    public func multiply(_ product: PointwiseProduct) {
        let tiles = RowTiles(rows: product.rows)
        let share = tiles.count == 0 ? 0 : (product.first.rows + tiles.count - 1) / tiles.count
        var column = 0
        while product.columns - column >= 2 * laneCount {
            var strip = ProductStrip(product, column: column, share: share)
            runStrip(product, tiles, &strip, of: ProductTile<1, 2>.self)
            column += 2 * laneCount
        }
        let rest = product.columns - column
        if rest <= 0 { return }
        if product.endsExactly {
            runExactly(product, tiles, column, rest)
        } else {
            runLast(product, tiles, column, rest)
        }
    }

    /// The last strip, of one or two vectors.
    private func runLast(_ product: PointwiseProduct, _ tiles: RowTiles, _ column: Int, _ count: Int) {
        var strip = ProductStrip(product, column: column, share: 0)
        if count <= laneCount {
            runStrip(product, tiles, &strip, of: ProductTile<1, 1>.self)
        } else {
            runStrip(product, tiles, &strip, of: ProductTile<1, 2>.self)
        }
    }

    /// The last strip by way of a place where whole vectors may be stored.
    private func runExactly(_ product: PointwiseProduct, _ tiles: RowTiles, _ column: Int, _ count: Int) {
        let width = 2 * laneCount
        withUnsafeTemporaryAllocation(of: Float.self, capacity: product.rows * width) { place in
            guard let base = place.baseAddress else { return }
            var strip = product
            strip.out = base - column
            strip.outStride = width
            runLast(strip, tiles, column, count)
            for row in 0..<product.rows {
                (product.out + (row * product.outStride + column)).update(from: base + row * width, count: count)
            }
        }
    }

    /// All rows of a strip: the taller tiles, then the others.
    @inline(__always)
    private func runStrip<let vectors: Int>(
        _ product: PointwiseProduct, _ tiles: RowTiles, _ strip: inout ProductStrip, of _: ProductTile<1, vectors>.Type
    ) {
        Self.run(product, &strip, of: ProductTile<1, vectors>.self, tiles.height + 1, tiles.taller)
        Self.run(product, &strip, of: ProductTile<1, vectors>.self, tiles.height, tiles.count - tiles.taller)
    }

    /// Runs `count` tiles of `height` rows that are as wide as the given one.
    @inline(__always)
    private static func run<let vectors: Int>(
        _ product: PointwiseProduct, _ strip: inout ProductStrip, of _: ProductTile<1, vectors>.Type, _ height: Int,
        _ count: Int
    ) {
        if count == 0 { return }
        switch height {
        case 1: ProductTile<1, vectors>.run(product, &strip, tiles: count)
        case 2: ProductTile<2, vectors>.run(product, &strip, tiles: count)
        case 3: ProductTile<3, vectors>.run(product, &strip, tiles: count)
        #if WIDE_LANES || FUSED || arch(arm64)
            case 4: ProductTile<4, vectors>.run(product, &strip, tiles: count)
            case 5: ProductTile<5, vectors>.run(product, &strip, tiles: count)
            case 6: ProductTile<6, vectors>.run(product, &strip, tiles: count)
        #endif
        #if WIDE_LANES
            case 7: ProductTile<7, vectors>.run(product, &strip, tiles: count)
            case 8: ProductTile<8, vectors>.run(product, &strip, tiles: count)
            case 9: ProductTile<9, vectors>.run(product, &strip, tiles: count)
            case 10: ProductTile<10, vectors>.run(product, &strip, tiles: count)
            case 11: ProductTile<11, vectors>.run(product, &strip, tiles: count)
            case 12: ProductTile<12, vectors>.run(product, &strip, tiles: count)
        #endif
        default: preconditionFailure("no tile has \(height) rows")
        }
    }
}
