/// What columns of x contribute of their own to sums by `FastInnerProduct`, and how large they are: of vectors of columns.
struct InputTerms<let vectors: Int> {
    /// Σ (x₃x₄ − x₁x₂).
    private(set) var crossed = InlineArray<vectors, Lanes> { _ in Lanes.zero }
    /// Σ ((x₁ + x₂)² + (x₃ − x₄)²): a product less than for Σ x².
    private var squares = InlineArray<vectors, Lanes> { _ in Lanes.zero }

    /// A pair that is added: x₁ and x₂.
    @inline(__always)
    mutating func takeAdded(_ first: InlineArray<vectors, Lanes>, _ second: InlineArray<vectors, Lanes>) {
        for vector in 0..<vectors {
            let sum = first[vector] + second[vector]
            squares[vector] = multiplyAdd(squares[vector], sum, sum)
            crossed[vector] = multiplyAdd(crossed[vector], -first[vector], second[vector])
        }
    }

    /// A pair that is subtracted: x₃ and x₄.
    @inline(__always)
    mutating func takeSubtracted(_ first: InlineArray<vectors, Lanes>, _ second: InlineArray<vectors, Lanes>) {
        for vector in 0..<vectors {
            let difference = first[vector] - second[vector]
            squares[vector] = multiplyAdd(squares[vector], difference, difference)
            crossed[vector] = multiplyAdd(crossed[vector], first[vector], second[vector])
        }
    }

    /// The columns of a vector whose Σ x² is over the limit, or no number.
    @inline(__always)
    func isOver(_ limit: Float, _ vector: Int) -> SIMDMask<Lanes.MaskStorage> {
        .!(multiplyAdd(squares[vector], crossed[vector], Lanes(repeating: 2)) .<= Lanes(repeating: limit))
    }
}
