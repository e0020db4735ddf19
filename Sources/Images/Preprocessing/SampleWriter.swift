public import Support

/// Turns decoded pictures into pictures of the network's size by one `Preprocessing`. One writer serves one thread and keeps its
/// memory.
public final class SampleWriter {
    public let preprocessing: Preprocessing
    public let augmentation: Augmentation
    private let changed = RGBImage()
    private let shrunk = RGBImage()
    private var bilinear = BilinearScratch()
    private var antialias = AntialiasScratch()

    /// Beyond this reduction (a picture of a million by four pixels) the filter's tables would outgrow the picture, so
    /// that blocks are averaged first.
    static let largestFilterReduction = 256.0

    public init(_ preprocessing: Preprocessing, augmentation: Augmentation = .none) {
        self.preprocessing = preprocessing
        self.augmentation = augmentation
    }

    /// How much smaller a JPEG with these facts may be decoded. `generator` is the record's, from its start.
    public func reduction(for facts: ImageFacts, generator: SeededGenerator) -> Int {
        guard preprocessing.filter == .antialias, augmentation != .cifar else { return 1 }
        let (width, height) = facts.uprightSize(preprocessing.orientation)
        return plan(width: width, height: height, generator: generator).reduction(gap: preprocessing.reductionGap)
    }

    /// Writes the picture as 8-bit colours `[pixels][pixels][3]`, which `NormalizedImages` takes further.
    ///
    /// - Parameters:
    ///   - image: the upright picture, decoded at 1/`reduction`; it is not changed.
    ///   - fullSize: its upright size before that reduction.
    ///   - generator: the record's, from its start; what is drawn depends on it and on `fullSize` alone.
    public func write(
        _ image: RGBImage, fullSize: (width: Int, height: Int), reduction: Int = 1,
        generator: SeededGenerator = SeededGenerator(seed: 0), into out: UnsafeMutablePointer<UInt8>
    ) {
        var image = image
        if augmentation == .cifar {
            var generator = generator
            let reach = 2 * Augmentation.border + 1
            let left = generator.below(reach) - Augmentation.border
            let top = generator.below(reach) - Augmentation.border
            let mirrored = generator.below(2) == 1
            reserve(changed, width: image.width, height: image.height)
            padCropMirror(
                image.pixels, width: image.width, height: image.height, left: left, top: top, mirrored: mirrored,
                into: changed.pixels)
            image = changed
        }
        let plan = plan(width: fullSize.width, height: fullSize.height, generator: generator)
        let pixels = preprocessing.pixels
        resize(image, plan, reduction: reduction) { y, row in
            let to = out + y * pixels * 3
            if plan.mirrored {
                mirrorRow(row, width: pixels, into: to)
            } else {
                to.update(from: row, count: pixels * 3)
            }
        }
    }

    /// Gives memory that one giant picture needed back.
    func trim(above bytes: Int) {
        changed.trim(above: bytes)
        shrunk.trim(above: bytes)
    }

    private func plan(width: Int, height: Int, generator: SeededGenerator) -> SamplePlan {
        guard augmentation == .photographs else { return SamplePlan(width: width, height: height, preprocessing) }
        var generator = generator
        return SamplePlan(randomCropOf: width, height, pixels: preprocessing.pixels, using: &generator)
    }

    /// Hands the plan's part of the picture to `emit`, row by row.
    private func resize(
        _ image: RGBImage, _ plan: SamplePlan, reduction: Int, emit: (Int, UnsafePointer<UInt8>) -> Void
    ) {
        let pixels = preprocessing.pixels
        let windowX = plan.left..<plan.left + pixels
        let windowY = plan.top..<plan.top + pixels
        switch preprocessing.filter {
        case .bilinear:
            precondition(reduction == 1, "the exact bilinear filter wants the picture in full size")
            resizeBilinear(
                image.pixels + (plan.box.y * image.width + plan.box.x) * 3, width: plan.box.width,
                height: plan.box.height, stride: image.stride, outWidth: plan.outWidth, outHeight: plan.outHeight,
                windowX: windowX, windowY: windowY, scratch: &bilinear, emit: emit)
        case .antialias:
            var source = image
            var unit = (x: Double(reduction), y: Double(reduction))
            let factors = (
                x: blockFactor(Double(plan.box.width) / unit.x / Double(plan.outWidth)),
                y: blockFactor(Double(plan.box.height) / unit.y / Double(plan.outHeight))
            )
            if factors.x > 1 || factors.y > 1 {
                reserve(
                    shrunk, width: (image.width + factors.x - 1) / factors.x,
                    height: (image.height + factors.y - 1) / factors.y)
                averageBlocks(
                    image.pixels, width: image.width, height: image.height, factorX: factors.x, factorY: factors.y,
                    into: shrunk.pixels)
                source = shrunk
                unit = (unit.x * Double(factors.x), unit.y * Double(factors.y))
            }
            let box = (
                x: Double(plan.box.x) / unit.x, y: Double(plan.box.y) / unit.y,
                width: Double(plan.box.width) / unit.x, height: Double(plan.box.height) / unit.y
            )
            resizeAntialias(
                source.pixels, width: source.width, height: source.height, box: box, outWidth: plan.outWidth,
                outHeight: plan.outHeight, windowX: windowX, windowY: windowY, scratch: &antialias, emit: emit)
        }
    }

    private func blockFactor(_ scale: Double) -> Int {
        scale > Self.largestFilterReduction ? Int(scale / (Self.largestFilterReduction / 2)) : 1
    }

    private func reserve(_ image: RGBImage, width: Int, height: Int) {
        precondition(image.reshape(width: width, height: height), "no memory for \(width) x \(height) pixels")
    }
}
