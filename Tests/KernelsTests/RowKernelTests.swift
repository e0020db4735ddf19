import Kernels
import TestSupport
import Testing

/// Kernels over one row, at lengths round the vector width.
@Suite(.oneAtATime) struct RowKernelTests {
    static let lengths = [1, 7, 8, 9, 15, 16, 17, 31, 33, 100, 784, RowMoments.pieceLength + 37]

    @Test("Moments agree with the plain form, also far from zero", arguments: KernelsUnderTest.all, lengths)
    func moments(_ set: KernelsUnderTest, _ count: Int) {
        checkMoments(set.kernels.float32, count)
        checkMoments(set.kernels.bfloat16, count)
    }

    private func checkMoments<Scalar: TestScalar>(_ kernels: any ActivationKernels<Scalar>, _ count: Int) {
        for shift: Float in [0, 1000] {
            let values = noise(count).map { Scalar(rounding: $0 + shift) }
            let wanted = RowMoments.reference(values.floats, count)
            let row = Guarded(values)
            check(kernels.moments(row.pointer, count), wanted)
            // From a sum's mean, as the training has it.
            let mean = Float(kernels.sum(row.pointer, count) / Double(count))
            check(kernels.centre(row.pointer, count, by: mean), wanted)
            #expect(isClose(row.values, values.map { $0.float - mean }) && row.isIntact)
        }
    }

    private func check(_ found: Moments, _ wanted: Moments) {
        #expect(found.count == wanted.count)
        #expect(abs(found.mean - wanted.mean) <= 1e-6 * max(1, abs(wanted.mean)))
        #expect(abs(found.squares - wanted.squares) <= 1e-5 * wanted.squares + 1e-9)
    }

    @Test("Merged moments are the moments of the whole", arguments: [1, 8, 99])
    func merging(_ cut: Int) {
        let values = noise(100).map { 5 + $0 }
        var merged = values.withUnsafeBufferPointer { RowMoments.reference($0.baseAddress!, cut) }
        merged.merge(values.withUnsafeBufferPointer { RowMoments.reference($0.baseAddress! + cut, 100 - cut) })
        let whole = RowMoments.reference(values, 100)
        #expect(merged.count == 100)
        #expect(abs(merged.mean - whole.mean) < 1e-6)
        #expect(abs(merged.biasedVariance - whole.biasedVariance) < 1e-6)
        #expect(abs(merged.unbiasedVariance - whole.squares / 99) < 1e-6)
    }

    @Test("Sums, also of rows that are summed up in pieces", arguments: KernelsUnderTest.all, lengths)
    func sums(_ set: KernelsUnderTest, _ count: Int) {
        checkSums(set.kernels.float32, count)
        checkSums(set.kernels.bfloat16, count)
    }

    private func checkSums<Scalar: TestScalar>(_ kernels: any ActivationKernels<Scalar>, _ count: Int) {
        let values = noise(count, as: Scalar.self)
        let row = Guarded(values)
        let sum = kernels.sum(row.pointer, count)
        #expect(abs(sum - values.floats.reduce(0) { $0 + Double($1) }) <= 1e-6 * Double(count))
    }

    @Test("The gradient of a ReLU", arguments: KernelsUnderTest.all, lengths)
    func rectifier(_ set: KernelsUnderTest, _ count: Int) {
        checkRectifier(set.kernels.float32, count)
        checkRectifier(set.kernels.bfloat16, count)
    }

    private func checkRectifier<Scalar: TestScalar>(_ kernels: any ActivationKernels<Scalar>, _ count: Int) {
        let out = noise(count).map { Scalar(rounding: max($0, 0)) }
        let gradient = Guarded(noise(count, seed: 2, as: Scalar.self))
        let plain = Guarded(gradient.values.floats)
        let sum = kernels.rectifierBackward(gradient.pointer, out: out, count)
        let plainSum = Rectifier.backwardReference(plain.pointer, out: out.floats, count)
        #expect(gradient.values.floats == plain.values && gradient.isIntact)
        #expect(abs(sum - plainSum) <= 1e-5 * Float(count))
    }

    @Test("Affine gradients", arguments: KernelsUnderTest.all, lengths)
    func affine(_ set: KernelsUnderTest, _ count: Int) {
        checkAffine(set.kernels.float32, count)
        checkAffine(set.kernels.bfloat16, count)
    }

    private func checkAffine<Scalar: TestScalar>(_ kernels: any ActivationKernels<Scalar>, _ count: Int) {
        let input = noise(count, seed: 3, as: Scalar.self)
        let fast = Guarded(noise(count, as: Scalar.self))
        let plain = Guarded(fast.values.floats)
        kernels.applyAffineGradient(fast.pointer, input: input, scale: 1.5, slope: -0.3, offset: 0.2, count, ahead: 0)
        AffineGradient.reference(plain.pointer, input: input.floats, scale: 1.5, slope: -0.3, offset: 0.2, count)
        #expect(isClose(fast.values, plain.values) && fast.isIntact)
    }

    @Test("Momentum", arguments: KernelsUnderTest.all, lengths)
    func momentum(_ set: KernelsUnderTest, _ count: Int) {
        let gradients = noise(count, seed: 4)
        let weights = Guarded(noise(count, seed: 5))
        let velocities = Guarded(noise(count, seed: 6))
        let plainWeights = Guarded(weights.values)
        let plainVelocities = Guarded(velocities.values)
        for _ in 0..<3 {
            set.kernels.updateWithMomentum(
                weights: weights.pointer, velocities: velocities.pointer, gradients: gradients, count, rate: 0.1,
                momentum: 0.9, decay: 0.01)
            MomentumUpdate.reference(
                weights: plainWeights.pointer, velocities: plainVelocities.pointer, gradients: gradients, count,
                rate: 0.1, momentum: 0.9, decay: 0.01)
        }
        #expect(isClose(weights.values, plainWeights.values) && weights.isIntact)
        #expect(isClose(velocities.values, plainVelocities.values) && velocities.isIntact)
    }

    @Test("Slots are added in order, in both precisions", arguments: [1, 2, 8])
    func slots(_ slotCount: Int) {
        let values = noise(slotCount * 20)
        let single = Guarded<Float>(count: 17)
        let double = Guarded<Double>(count: 17)
        SlotSum.reduce(values, slotCount: slotCount, pitch: 20, out: single.pointer, 17)
        SlotSum.reduce(values, slotCount: slotCount, pitch: 20, out: double.pointer, 17)
        let wanted = (0..<17).map { index in (0..<slotCount).reduce(Float(0)) { $0 + values[$1 * 20 + index] } }
        #expect(isClose(single.values, wanted) && single.isIntact)
        #expect(isClose(double.values.map(Float.init), wanted) && double.isIntact)
    }

    @Test("The mean over each image's map, and its gradient", arguments: KernelsUnderTest.all, [1, 4, 9, 49])
    func globalMean(_ set: KernelsUnderTest, _ area: Int) {
        checkGlobalMean(set.kernels.float32, area)
        checkGlobalMean(set.kernels.bfloat16, area)
    }

    private func checkGlobalMean<Scalar: TestScalar>(_ kernels: any ActivationKernels<Scalar>, _ area: Int) {
        let row = Guarded(noise(3 * area, as: Scalar.self))
        let means = Guarded<Float>(count: 3)
        GlobalMean.forward(row.pointer, images: 3, area: area, out: means.pointer, with: kernels)
        let wanted = (0..<3).map { row.values.floats[$0 * area..<($0 + 1) * area].reduce(0, +) / Float(area) }
        #expect(isClose(means.values, wanted) && means.isIntact)
        let spread = Guarded<Scalar>(count: 3 * area)
        GlobalMean.backward(spread.pointer, images: 3, area: area, gradient: means.pointer, with: kernels)
        let wantedSpread = (0..<3 * area).map { means.values[$0 / area] / Float(area) }
        #expect(isClose(spread.values, wantedSpread))
        #expect(spread.isIntact)
    }
}
