internal import Kernels

/// A few columns of a product: the last ones, fewer than pay for a vector, or those of a strip that needs plain sums. The rows of a tile lie in the lanes, as its weights
/// are packed, and each element of x is spread over them. Every sum is made in the order of `ProductTile`.
struct NarrowProduct<let columns: Int, Scalar: LaneScalar> {
    let product: PointwiseProduct<Scalar>
    let tiles: RowTiles
    let column: Int
    /// A vector for each column of each of up to four tiles.
    let place: UnsafeMutablePointer<Float>

    /// From `column` on.
    static func run(_ product: PointwiseProduct<Scalar>, _ tiles: RowTiles, column: Int) {
        var memory = InlineArray<16, Lanes> { _ in Lanes.zero }
        withUnsafeMutableBytes(of: &memory) { bytes in
            guard let place = bytes.bindMemory(to: Float.self).baseAddress else { return }
            NarrowProduct(product: product, tiles: tiles, column: column, place: place).run()
        }
    }

    /// Some tiles at a time, so that enough sums are under way to hide a multiply-add's latency.
    private func run() {
        var tile = 0
        if columns <= 2 {
            while tile + 4 <= tiles.count {
                run(tile, of: Group<4>.self)
                tile += 4
            }
        }
        while tile + 2 <= tiles.count {
            run(tile, of: Group<2>.self)
            tile += 2
        }
        if tile < tiles.count { run(tile, of: Group<1>.self) }
    }

    enum Group<let count: Int> {}

    @inline(__always)
    private func run<let count: Int>(_ tile: Int, of _: Group<count>.Type) {
        for index in 0..<count { placeBias(tile + index, index) }
        if Scalar.hasFastInnerProduct && FastWeights(product.weights).scale != 0 {
            accumulateFast(tile, of: Group<count>.self)
        } else {
            accumulate(tile, of: Group<count>.self)
        }
        for index in 0..<count { finish(tile + index, index) }
    }

    private func placeBias(_ tile: Int, _ index: Int) {
        for (lane, row) in tiles.rows(tile).enumerated() {
            let bias = product.bias?[row] ?? 0
            for offset in 0..<columns { place[(index * columns + offset) * laneCount + lane] = bias }
        }
    }

    /// Adds the products of `count` tiles to what lies in their place.
    @inline(never)
    private func accumulate<let count: Int>(_ tile: Int, of _: Group<count>.Type) {
        let perRow = Scalar.steps(product.first.rows) + Scalar.steps(product.second?.rows ?? 0)
        var weights = InlineArray<count, UnsafePointer<Float>> {
            UnsafePointer(product.weights.pointer) + perRow * tiles.start(tile + $0)
        }
        let heights = InlineArray<count, Int> { tiles.rows(tile + $0).count }
        let places = UnsafePointer(place)
        var sums = InlineArray<count, InlineArray<columns, Lanes>> { index in
            InlineArray { column in places.lanes((index * columns + column) * laneCount) }
        }
        add(product.first)
        if let second = product.second { add(second) }
        for index in 0..<count {
            for column in 0..<columns { place.store(sums[index][column], (index * columns + column) * laneCount) }
        }

        @inline(__always)
        func add(_ input: PointwiseProduct<Scalar>.Input) {
            var values = input.pointer + column
            for step in 0..<Scalar.steps(input.rows) {
                let last = min((step + 1) * Scalar.weightStep, input.rows) - step * Scalar.weightStep - 1
                let next = values + last * input.stride
                let spread = InlineArray<columns, Lanes> { Lanes(repeating: Scalar.word(values[$0], next[$0])) }
                for index in 0..<count {
                    let lanes = weights[index].lanes(0)
                    for column in 0..<columns {
                        sums[index][column] = Scalar.addWordProducts(sums[index][column], lanes, spread[column])
                    }
                    weights[index] += heights[index]
                }
                values = next + input.stride
            }
        }
    }

    /// Stores a tile's sums with what the product adds to them.
    private func finish(_ tile: Int, _ index: Int) {
        for (lane, row) in tiles.rows(tile).enumerated() {
            for offset in 0..<columns {
                let column = column + offset
                var sum = place[(index * columns + offset) * laneCount + lane]
                if let addend = product.addend { sum += addend[row * product.addendStride + column].float }
                if product.isRectified, sum < 0 { sum = 0 }
                product.out[row * product.outStride + column] = Scalar(rounding: sum)
            }
        }
    }
}
