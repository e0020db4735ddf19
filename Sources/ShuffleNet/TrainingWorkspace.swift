import Kernels
import Support

/// Memory that the layers of one trainer use in turn, allocated once at the largest size any of them asks for.
final class TrainingWorkspace<Scalar: ActivationScalar> {
    let pool: ThreadPool
    /// Scratch floats for each worker.
    private let scratch: [AlignedBuffer<Float>]
    /// An image's planes, for each worker.
    private let images: [AlignedBuffer<Float>]
    /// The stem's patches, for each worker.
    private let patches: [AlignedBuffer<Scalar>]
    private let floats: [AlignedBuffer<Float>]
    private let doubles: [AlignedBuffer<Double>]
    private let activations: [AlignedBuffer<Scalar>]

    init(_ needs: TrainingNeeds, pool: ThreadPool) {
        self.pool = pool
        scratch = (0..<pool.threads).map { _ in AlignedBuffer(count: needs.scratch) }
        images = (0..<pool.threads).map { _ in AlignedBuffer(count: needs.image) }
        patches = (0..<pool.threads).map { _ in AlignedBuffer(count: needs.patches) }
        floats = needs.floats.map { AlignedBuffer(count: $0) }
        doubles = needs.doubles.map { AlignedBuffer(count: $0) }
        activations = needs.activations.map { AlignedBuffer(count: $0) }
    }

    func scratch(_ worker: Int) -> UnsafeMutablePointer<Float> { scratch[worker].pointer }
    func image(_ worker: Int) -> UnsafeMutablePointer<Float> { images[worker].pointer }
    func patches(_ worker: Int) -> UnsafeMutablePointer<Scalar> { patches[worker].pointer }
    subscript(_ area: TrainingNeeds.FloatArea) -> UnsafeMutablePointer<Float> { floats[area.rawValue].pointer }
    subscript(_ area: TrainingNeeds.DoubleArea) -> UnsafeMutablePointer<Double> { doubles[area.rawValue].pointer }
    func rows(_ area: TrainingNeeds.ActivationArea, columns: Int) -> Rows<Scalar> {
        Rows(activations[area.rawValue], columns: columns)
    }
}

/// What the layers of a trainer ask of its workspace.
struct TrainingNeeds {
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
    }

    enum ActivationArea: Int, CaseIterable {
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

    private(set) var scratch = 0
    private(set) var image = 0
    private(set) var patches = 0
    private(set) var floats = [Int](repeating: 0, count: FloatArea.allCases.count)
    private(set) var doubles = [Int](repeating: 0, count: DoubleArea.allCases.count)
    private(set) var activations = [Int](repeating: 0, count: ActivationArea.allCases.count)

    mutating func scratch(_ count: Int) { scratch = max(scratch, count) }
    mutating func image(_ count: Int) { image = max(image, count) }
    mutating func patches(_ count: Int) { patches = max(patches, count) }
    mutating func need(_ area: FloatArea, _ count: Int) { floats[area.rawValue] = max(floats[area.rawValue], count) }
    mutating func need(_ area: DoubleArea, _ count: Int) { doubles[area.rawValue] = max(doubles[area.rawValue], count) }
    mutating func need(_ area: ActivationArea, _ count: Int) {
        activations[area.rawValue] = max(activations[area.rawValue], count)
    }
}
