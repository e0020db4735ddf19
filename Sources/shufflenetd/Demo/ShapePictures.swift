import Foundation
import Images
import Support

/// The demonstration's own data set: discs, squares and triangles in random colours, sizes and places on noisy grounds.
struct ShapePictures {
    static let classNames = ["disc", "square", "triangle"]
    static let side = 64

    private var generator: SeededGenerator

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    /// Writes `count` pictures of every class to `folder/<class>/`.
    mutating func writeDataset(to folder: String, count: Int) throws {
        for (index, name) in Self.classNames.enumerated() {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
            for number in 0..<count {
                try write(shape: index, to: "\(folder)/\(name)/\(name)-\(number).png")
            }
        }
    }

    /// Writes `count` pictures of mixed classes to `folder`, and one file that is no picture.
    mutating func writeMixture(to folder: String, count: Int) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for number in 0..<count {
            let shape = number % Self.classNames.count
            try write(shape: shape, to: "\(folder)/\(number)-\(Self.classNames[shape]).png")
        }
        try AtomicFile.write("this is a text, not a picture\n".utf8, to: folder + "/broken.png")
    }

    private mutating func write(shape: Int, to path: String) throws {
        try PNGWriter.write(rgb: draw(shape: shape), width: Self.side, height: Self.side, to: path)
    }

    private mutating func draw(shape: Int) -> [UInt8] {
        let side = Float(Self.side)
        let ground = colour(in: 0...100)
        let ink = colour(in: 140...255)
        let radius = side * (0.2 + 0.18 * generator.nextUnit())
        let centreX = radius + (side - 2 * radius) * generator.nextUnit()
        let centreY = radius + (side - 2 * radius) * generator.nextUnit()
        var rgb = [UInt8](repeating: 0, count: Self.side * Self.side * 3)
        for y in 0..<Self.side {
            for x in 0..<Self.side {
                let across = (Float(x) + 0.5 - centreX) / radius
                let down = (Float(y) + 0.5 - centreY) / radius
                let colour = Self.covers(shape, across, down) ? ink : ground
                for channel in 0..<3 {
                    let noisy = colour[channel] + 40 * (generator.nextUnit() - 0.5)
                    rgb[(y * Self.side + x) * 3 + channel] = UInt8(min(max(noisy, 0), 255))
                }
            }
        }
        return rgb
    }

    /// Whether the shape, inscribed in the unit circle, covers a point; y grows downwards.
    private static func covers(_ shape: Int, _ x: Float, _ y: Float) -> Bool {
        switch shape {
        case 0: x * x + y * y <= 1
        case 1: abs(x) <= 0.8 && abs(y) <= 0.8
        default: y <= 0.8 && y >= -1 && abs(x) <= (y + 1) * 0.5
        }
    }

    private mutating func colour(in range: ClosedRange<Float>) -> [Float] {
        (0..<3).map { _ in range.lowerBound + (range.upperBound - range.lowerBound) * generator.nextUnit() }
    }
}
