import Checkpoints
import ShuffleNet
import Support
import TestSupport
import Testing

/// What the parity tests share.
enum Golden {
    /// The network of a case with the values of one of its checkpoints.
    static func network(_ folder: GoldenFolder, _ golden: GoldenCase, checkpoint: String) throws -> Network {
        let size = try #require(ModelSize(rawValue: golden.size))
        let groups = try #require(GroupCount(rawValue: golden.groups))
        let network = Network(
            configuration: NetworkConfiguration(size: size, groups: groups, classes: golden.classes), seed: 0)
        let file = try MindSporeFile.read(path: "\(folder.path)/\(checkpoint)")
        for parameter in network.parameters {
            let tensor = try #require(file.tensor(parameter.name), "\(checkpoint) lacks \(parameter.name)")
            #expect(tensor.shape == parameter.shape)
            try network.setValues(try tensor.floats(), of: parameter.name)
        }
        return network
    }
}

/// How far two arrays are apart.
struct Difference {
    /// The largest |a − b|.
    var largest: Double = 0
    /// Sum of squares of a − b and of b.
    var squares: Double = 0
    var wantedSquares: Double = 0
    /// The largest |b|.
    var scale: Double = 0

    init() {}

    /// Not-a-number anywhere counts as infinitely far.
    init(_ found: [Float], _ wanted: [Float]) {
        precondition(found.count == wanted.count, "\(found.count) values cannot be compared with \(wanted.count)")
        for (a, b) in zip(found, wanted) {
            let difference = abs(Double(a) - Double(b))
            largest = largerDifference(largest, difference)
            squares += difference * difference
            wantedSquares += Double(b) * Double(b)
            scale = max(scale, abs(Double(b)))
        }
        if squares.isNaN { squares = .infinity }
    }

    /// ‖a − b‖ / ‖b‖.
    var relativeNorm: Double { (squares / max(wantedSquares, 1e-300)).squareRoot() }

    mutating func add(_ other: Difference) {
        squares += other.squares
        wantedSquares += other.wantedSquares
    }
}
