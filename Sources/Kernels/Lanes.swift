/// The vector the kernels work in.
public typealias Lanes = SIMD8<Float>
