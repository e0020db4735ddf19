internal import CLanes
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
        var column = 0
        while product.columns - column >= 2 * laneCount {
            runStrip(product, column)
            column += 2 * laneCount
        }
        let rest = product.columns - column
        if rest <= 0 { return }
        if product.endsExactly {
            runExactly(product, column, rest)
        } else {
            runStrip(product, column)
        }
    }

    /// All rows of one or two vectors of columns.
    private func runStrip(_ product: PointwiseProduct, _ column: Int) {
        let tiles = RowTiles(rows: product.rows)
        let inner = product.first.rows + (product.second?.rows ?? 0)
        let isSingle = product.columns - column <= laneCount
        for tile in 0..<tiles.count {
            let row = tiles.start(tile)
            let height = tiles.start(tile + 1) - row
            let weights = product.weights + row * inner
            prefetch(product, tile, of: tiles, column + 2 * laneCount)
            if isSingle {
                Self.run(ProductTile<1, 1>.self, height, product, row, column, weights)
            } else {
                Self.run(ProductTile<1, 2>.self, height, product, row, column, weights)
            }
        }
    }

    /// Asks for a share of the strip that begins at `column` while the one before it is computed: its lines lie a row
    /// apart, which no hardware prefetcher follows.
    @inline(__always)
    private func prefetch(_ product: PointwiseProduct, _ tile: Int, of tiles: RowTiles, _ column: Int) {
        func lines(_ start: UnsafePointer<Float>, _ stride: Int, _ rows: Range<Int>) {
            for row in rows {
                clanes_prefetch(start + row * stride)
                #if WIDE_LANES
                    clanes_prefetch(start + (row * stride + laneCount))
                #endif
            }
        }
        func share(_ input: PointwiseProduct.Input) {
            let rows = tile * input.rows / tiles.count..<(tile + 1) * input.rows / tiles.count
            lines(input.pointer + column, input.stride, rows)
        }
        share(product.first)
        if let second = product.second { share(second) }
        let rows = tiles.start(tile)..<tiles.start(tile + 1)
        if let addend = product.addend { lines(addend + column, product.addendStride, rows) }
        lines(UnsafePointer(product.out) + column, product.outStride, rows)
    }

    /// The last strip by way of a place where whole vectors may be stored.
    private func runExactly(_ product: PointwiseProduct, _ column: Int, _ count: Int) {
        let width = 2 * laneCount
        withUnsafeTemporaryAllocation(of: Float.self, capacity: product.rows * width) { place in
            guard let base = place.baseAddress else { return }
            var strip = product
            strip.out = base - column
            strip.outStride = width
            runStrip(strip, column)
            for row in 0..<product.rows {
                (product.out + (row * product.outStride + column)).update(from: base + row * width, count: count)
            }
        }
    }

    /// Runs the tile of `height` rows that is as wide as the given one.
    @inline(__always)
    private static func run<let vectors: Int>(
        _: ProductTile<1, vectors>.Type, _ height: Int, _ product: PointwiseProduct, _ row: Int,
        _ column: Int, _ weights: UnsafePointer<Float>
    ) {
        switch height {
        case 1: ProductTile<1, vectors>.run(product, row: row, column: column, weights: weights)
        case 2: ProductTile<2, vectors>.run(product, row: row, column: column, weights: weights)
        case 3: ProductTile<3, vectors>.run(product, row: row, column: column, weights: weights)
        #if WIDE_LANES || FUSED || arch(arm64)
            case 4: ProductTile<4, vectors>.run(product, row: row, column: column, weights: weights)
            case 5: ProductTile<5, vectors>.run(product, row: row, column: column, weights: weights)
            case 6: ProductTile<6, vectors>.run(product, row: row, column: column, weights: weights)
        #endif
        #if WIDE_LANES
            case 7: ProductTile<7, vectors>.run(product, row: row, column: column, weights: weights)
            case 8: ProductTile<8, vectors>.run(product, row: row, column: column, weights: weights)
            case 9: ProductTile<9, vectors>.run(product, row: row, column: column, weights: weights)
            case 10: ProductTile<10, vectors>.run(product, row: row, column: column, weights: weights)
            case 11: ProductTile<11, vectors>.run(product, row: row, column: column, weights: weights)
            case 12: ProductTile<12, vectors>.run(product, row: row, column: column, weights: weights)
        #endif
        default: preconditionFailure("no tile has \(height) rows")
        }
    }
}
