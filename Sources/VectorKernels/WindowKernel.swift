/// Nine kernel values, each in every lane.
struct WindowKernel {
    let k0, k1, k2, k3, k4, k5, k6, k7, k8: Lanes

    @inline(__always)
    init(_ values: UnsafePointer<Float>) { self.init(values, step: 1) }

    /// Taps in the opposite order: a gradient runs the other way.
    @inline(__always)
    init(reversed values: UnsafePointer<Float>) { self.init(values + 8, step: -1) }

    @inline(__always)
    private init(_ first: UnsafePointer<Float>, step: Int) {
        k0 = Lanes(repeating: first[0])
        k1 = Lanes(repeating: first[step])
        k2 = Lanes(repeating: first[2 * step])
        k3 = Lanes(repeating: first[3 * step])
        k4 = Lanes(repeating: first[4 * step])
        k5 = Lanes(repeating: first[5 * step])
        k6 = Lanes(repeating: first[6 * step])
        k7 = Lanes(repeating: first[7 * step])
        k8 = Lanes(repeating: first[8 * step])
    }
}
