/// Nine kernel values, each in every lane.
struct WindowKernel {
    let k0, k1, k2, k3, k4, k5, k6, k7, k8: Lanes

    @inline(__always)
    init(_ values: UnsafePointer<Float>) {
        k0 = Lanes(repeating: values[0])
        k1 = Lanes(repeating: values[1])
        k2 = Lanes(repeating: values[2])
        k3 = Lanes(repeating: values[3])
        k4 = Lanes(repeating: values[4])
        k5 = Lanes(repeating: values[5])
        k6 = Lanes(repeating: values[6])
        k7 = Lanes(repeating: values[7])
        k8 = Lanes(repeating: values[8])
    }

    /// Taps in the opposite order: a gradient runs the other way.
    @inline(__always)
    init(reversed values: UnsafePointer<Float>) {
        k0 = Lanes(repeating: values[8])
        k1 = Lanes(repeating: values[7])
        k2 = Lanes(repeating: values[6])
        k3 = Lanes(repeating: values[5])
        k4 = Lanes(repeating: values[4])
        k5 = Lanes(repeating: values[3])
        k6 = Lanes(repeating: values[2])
        k7 = Lanes(repeating: values[1])
        k8 = Lanes(repeating: values[0])
    }
}
