/// The mean over each image's whole map.
public enum GlobalMean {
    /// `row` `[images·area]` of one channel to `out` `[images]`.
    public static func forward<Scalar: ActivationScalar>(
        _ row: UnsafePointer<Scalar>, images: Int, area: Int, out: UnsafeMutablePointer<Float>,
        with kernels: any ActivationKernels<Scalar>
    ) {
        for image in 0..<images { out[image] = Float(kernels.sum(row + image * area, area) / Double(area)) }
    }

    /// Spreads `gradient` `[images]` over `row` `[images·area]`.
    public static func backward<Scalar: ActivationScalar>(
        _ row: UnsafeMutablePointer<Scalar>, images: Int, area: Int, gradient: UnsafePointer<Float>,
        with kernels: any ActivationKernels<Scalar>
    ) {
        let factor = 1 / Float(area)
        for image in 0..<images { kernels.fill(row + image * area, area, with: gradient[image] * factor) }
    }
}
