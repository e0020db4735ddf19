internal import Kernels

extension NarrowProduct {
    /// The sums of `count` tiles by way of `FastInnerProduct`, added to the biases that lie in their place. All rows are made
    /// both ways, and of each lane the sum is taken that `ProductTile` makes.
    @inline(never)
    func accumulateFast<let count: Int>(_ tile: Int, of _: Group<count>.Type) {
        let tail = FastWeights(product.weights)
        let input = product.first
        let starts = InlineArray<count, Int> { tiles.start(tile + $0) }
        let heights = InlineArray<count, Int> { tiles.rows(tile + $0).count }
        var weights = InlineArray<count, UnsafePointer<Float>> {
            UnsafePointer(product.weights.pointer) + starts[$0] * product.weights.columns
        }
        var plain = InlineArray<count, InlineArray<columns, Lanes>> { _ in InlineArray { _ in Lanes.zero } }
        var crossed = InlineArray<count, InlineArray<columns, Lanes>> { index in
            let lanes = tail.sums.lanes(starts[index])
            return InlineArray { _ in lanes }
        }
        var terms = InputTerms<columns>()
        var values = input.pointer + column
        for _ in 0..<input.rows / FastInnerProduct.period {
            addPair(sign: 1)
            addPair(sign: -1)
        }
        for _ in 0..<input.rows % FastInnerProduct.period {
            let value = spread(values)
            for index in 0..<count {
                let w = weights[index].lanes(0)
                for column in 0..<columns {
                    plain[index][column] = multiplyAdd(plain[index][column], w, value[column])
                    crossed[index][column] = multiplyAdd(crossed[index][column], w, value[column])
                }
                weights[index] += heights[index]
            }
            values += input.stride
        }
        for index in 0..<count {
            for column in 0..<columns { crossed[index][column] += terms.crossed[column] }
        }
        for index in 0..<count {
            let isPlain = Lanes.mask(from: FastInnerProduct.crossedRows(of: heights[index]))
            for column in 0..<columns {
                let sum = crossed[index][column].replacing(
                    with: plain[index][column], where: isPlain .| terms.isOver(tail.limit, column))
                let lane = (index * columns + column) * laneCount
                place.store(multiplyAdd(place.lanes(lane), sum, Lanes(repeating: tail.scale)), lane)
            }
        }

        @inline(__always)
        func addPair(sign: Float) {
            let first = spread(values)
            let second = spread(values + input.stride)
            if sign > 0 { terms.takeAdded(first, second) } else { terms.takeSubtracted(first, second) }
            for index in 0..<count {
                let w = weights[index].lanes(0)
                let v = weights[index].lanes(heights[index])
                for column in 0..<columns {
                    plain[index][column] = multiplyAdd(plain[index][column], w, first[column])
                    plain[index][column] = multiplyAdd(plain[index][column], v, second[column])
                    crossed[index][column] = multiplyAdd(
                        crossed[index][column], sign * second[column] + w, first[column] + sign * v)
                }
                weights[index] += 2 * heights[index]
            }
            values += 2 * input.stride
        }
    }

    /// A row of x, each element in all lanes.
    @inline(__always)
    private func spread(_ values: UnsafePointer<Scalar>) -> InlineArray<columns, Lanes> {
        InlineArray { Lanes(repeating: values[$0].float) }
    }
}
