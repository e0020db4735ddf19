import Support

/// Memory that the layers of one trainer use in turn, allocated once at the largest size any of them asks for.
final class TrainingWorkspace {
    let pool: ThreadPool
    /// Scratch floats for each worker.
    private var scratch: [AlignedBuffer<Float>] = []
    private(set) var floats: [AlignedBuffer<Float>] = []
    private(set) var doubles: [AlignedBuffer<Double>] = []

    /// Which shared area; each layer says how it uses it.
    enum FloatArea: Int, CaseIterable {
        /// Partial matrices, one for each column slot.
        case slots
        /// The same for the gradient of the second product, which is gathered while the unit behind uses the first.
        case outerSlots
        /// Folded or transposed weights.
        case weights
        /// Weights as the kernels want them.
        case packed
        /// The first product's, which may belong to the next unit.
        case reducePacked
        case square
        case bias
        /// The gradient at the depthwise convolution's output, and at its input.
        case outerGradient
        case innerGradient
    }

    enum DoubleArea: Int, CaseIterable {
        case sums
        case first
        case second
        case third
        case coefficients
    }

    struct Needs {
        var scratch = 0
        var floats = [Int](repeating: 0, count: FloatArea.allCases.count)
        var doubles = [Int](repeating: 0, count: DoubleArea.allCases.count)

        mutating func scratch(_ count: Int) { scratch = max(scratch, count) }
        mutating func need(_ area: FloatArea, _ count: Int) {
            floats[area.rawValue] = max(floats[area.rawValue], count)
        }
        mutating func need(_ area: DoubleArea, _ count: Int) {
            doubles[area.rawValue] = max(doubles[area.rawValue], count)
        }
    }

    init(_ needs: Needs, pool: ThreadPool) {
        self.pool = pool
        scratch = (0..<pool.threads).map { _ in AlignedBuffer(count: needs.scratch) }
        floats = needs.floats.map { AlignedBuffer(count: $0) }
        doubles = needs.doubles.map { AlignedBuffer(count: $0) }
    }

    func scratch(_ worker: Int) -> UnsafeMutablePointer<Float> { scratch[worker].pointer }
    subscript(_ area: FloatArea) -> UnsafeMutablePointer<Float> { floats[area.rawValue].pointer }
    subscript(_ area: DoubleArea) -> UnsafeMutablePointer<Double> { doubles[area.rawValue].pointer }
    func rows(_ area: FloatArea, columns: Int) -> Rows { Rows(floats[area.rawValue], columns: columns) }
}
