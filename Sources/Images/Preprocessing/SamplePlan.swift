internal import Glibc
internal import Support

/// Which part of a picture becomes the network's input, in pixels of the full upright picture: `box` is resized to
/// `outWidth` × `outHeight`, of which a square of the input's size at (`left`, `top`) is kept.
struct SamplePlan: Equatable {
    var box: (x: Int, y: Int, width: Int, height: Int)
    var outWidth: Int
    var outHeight: Int
    var left = 0
    var top = 0
    var mirrored = false

    static func == (a: SamplePlan, b: SamplePlan) -> Bool {
        a.box == b.box && (a.outWidth, a.outHeight, a.left, a.top) == (b.outWidth, b.outHeight, b.left, b.top)
            && a.mirrored == b.mirrored
    }

    /// The plan without chance.
    init(width: Int, height: Int, _ preprocessing: Preprocessing) {
        box = (0, 0, width, height)
        let pixels = preprocessing.pixels
        switch preprocessing.geometry {
        case .stretch:
            (outWidth, outHeight) = (pixels, pixels)
        case .centreCrop(let side):
            // The longer side is rounded down, as MindSpore and torchvision do.
            outWidth = width <= height ? side : side * width / height
            outHeight = height <= width ? side : side * height / width
            left = (outWidth - pixels) / 2
            top = (outHeight - pixels) / 2
        }
    }

    /// A random resized crop, by torchvision's rule: ten tries, then the largest middle part of a permitted shape.
    init(randomCropOf width: Int, _ height: Int, pixels: Int, using generator: inout SeededGenerator) {
        (outWidth, outHeight) = (pixels, pixels)
        box = Self.drawBox(width, height, using: &generator)
        mirrored = generator.below(2) == 1
    }

    private static func drawBox(
        _ width: Int, _ height: Int, using generator: inout SeededGenerator
    ) -> (x: Int, y: Int, width: Int, height: Int) {
        let logRatio = log(Augmentation.ratio.lowerBound)...log(Augmentation.ratio.upperBound)
        for _ in 0..<10 {
            let area = Double(width * height) * generator.uniform(Augmentation.area)
            let ratio = exp(generator.uniform(logRatio))
            let w = Int((area * ratio).squareRoot().rounded())
            let h = Int((area / ratio).squareRoot().rounded())
            if w > 0 && w <= width && h > 0 && h <= height {
                return (generator.below(width - w + 1), generator.below(height - h + 1), w, h)
            }
        }
        let ratio = Double(width) / Double(height)
        var (w, h) = (width, height)
        if ratio < Augmentation.ratio.lowerBound {
            h = max(Int((Double(w) / Augmentation.ratio.lowerBound).rounded()), 1)
        } else if ratio > Augmentation.ratio.upperBound {
            w = max(Int((Double(h) * Augmentation.ratio.upperBound).rounded()), 1)
        }
        return ((width - w) / 2, (height - h) / 2, w, h)
    }

    /// How much smaller a JPEG may be decoded for this plan: the largest of 8, 4, 2, 1 that keeps the box `gap` times
    /// as large as what it is resized to.
    func reduction(gap: Double?) -> Int {
        guard let gap else { return 1 }
        let room = min(Double(box.width) / Double(outWidth), Double(box.height) / Double(outHeight)) / gap
        return room >= 8 ? 8 : room >= 4 ? 4 : room >= 2 ? 2 : 1
    }
}
