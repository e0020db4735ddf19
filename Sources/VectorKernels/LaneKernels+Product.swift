internal import Kernels

extension LaneActivationKernels {
    func multiply(_ product: PointwiseProduct<Scalar>) {
        let tiles = RowTiles(rows: product.rows)
        let share = tiles.count == 0 ? 0 : (product.first.rows + tiles.count - 1) / tiles.count
        var column = 0
        while product.columns - column >= 2 * laneCount {
            var strip = ProductStrip(product, column: column, share: share)
            if strip.fast.isMixed {
                runMixed(product, tiles, column, 2 * laneCount)
            } else {
                runStrip(product, tiles, &strip, of: ProductTile<1, 2, Scalar>.self)
            }
            column += 2 * laneCount
        }
        var rest = product.columns - column
        // Up to four columns cost a fraction of a vector.
        let narrow = rest % laneCount
        if (1...4).contains(narrow) {
            runNarrow(product, tiles, product.columns - narrow, narrow)
            rest -= narrow
        }
        if rest <= 0 { return }
        if product.endsExactly {
            runExactly(product, tiles, column, rest)
        } else {
            runLast(product, tiles, column, rest)
        }
    }

    private func runNarrow(_ product: PointwiseProduct<Scalar>, _ tiles: RowTiles, _ column: Int, _ count: Int) {
        switch count {
        case 1: NarrowProduct<1, Scalar>.run(product, tiles, column: column)
        case 2: NarrowProduct<2, Scalar>.run(product, tiles, column: column)
        case 3: NarrowProduct<3, Scalar>.run(product, tiles, column: column)
        default: NarrowProduct<4, Scalar>.run(product, tiles, column: column)
        }
    }

    /// The last strip, of one or two vectors.
    private func runLast(_ product: PointwiseProduct<Scalar>, _ tiles: RowTiles, _ column: Int, _ count: Int) {
        var strip = ProductStrip(product, column: column, share: 0)
        if strip.fast.isMixed {
            runMixed(product, tiles, column, count)
        } else if count <= laneCount {
            runStrip(product, tiles, &strip, of: ProductTile<1, 1, Scalar>.self)
        } else {
            runStrip(product, tiles, &strip, of: ProductTile<1, 2, Scalar>.self)
        }
    }

    /// A strip some of whose columns need plain sums.
    private func runMixed(_ product: PointwiseProduct<Scalar>, _ tiles: RowTiles, _ column: Int, _ count: Int) {
        for start in stride(from: column, to: column + count, by: 4) {
            runNarrow(product, tiles, start, min(4, column + count - start))
        }
    }

    /// The last strip by way of a place where whole vectors may be stored.
    private func runExactly(_ product: PointwiseProduct<Scalar>, _ tiles: RowTiles, _ column: Int, _ count: Int) {
        let width = 2 * laneCount
        withUnsafeTemporaryAllocation(of: Scalar.self, capacity: product.rows * width) { place in
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
        _ product: PointwiseProduct<Scalar>, _ tiles: RowTiles, _ strip: inout ProductStrip<Scalar>,
        of _: ProductTile<1, vectors, Scalar>.Type
    ) {
        run(product, &strip, of: ProductTile<1, vectors, Scalar>.self, tiles.height + 1, tiles.taller)
        run(product, &strip, of: ProductTile<1, vectors, Scalar>.self, tiles.height, tiles.count - tiles.taller)
    }

    /// Runs `count` tiles of `height` rows that are as wide as the given one.
    @inline(__always)
    private func run<let vectors: Int>(
        _ product: PointwiseProduct<Scalar>, _ strip: inout ProductStrip<Scalar>,
        of _: ProductTile<1, vectors, Scalar>.Type, _ height: Int,
        _ count: Int
    ) {
        if count == 0 { return }
        switch height {
        case 1: ProductTile<1, vectors, Scalar>.run(product, &strip, tiles: count)
        case 2: ProductTile<2, vectors, Scalar>.run(product, &strip, tiles: count)
        case 3: ProductTile<3, vectors, Scalar>.run(product, &strip, tiles: count)
        #if WIDE_LANES || FUSED || arch(arm64)
            case 4: ProductTile<4, vectors, Scalar>.run(product, &strip, tiles: count)
            case 5: ProductTile<5, vectors, Scalar>.run(product, &strip, tiles: count)
            case 6: ProductTile<6, vectors, Scalar>.run(product, &strip, tiles: count)
        #endif
        #if WIDE_LANES
            case 7: ProductTile<7, vectors, Scalar>.run(product, &strip, tiles: count)
            case 8: ProductTile<8, vectors, Scalar>.run(product, &strip, tiles: count)
            case 9: ProductTile<9, vectors, Scalar>.run(product, &strip, tiles: count)
            case 10: ProductTile<10, vectors, Scalar>.run(product, &strip, tiles: count)
        #endif
        default: preconditionFailure("no tile has \(height) rows")
        }
    }
}
