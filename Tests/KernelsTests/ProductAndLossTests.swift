import Glibc
import Kernels
import TestSupport
import Testing

@Suite(.oneAtATime) struct ProductAndLossTests {
    @Test(
        "Matrix products of every orientation agree with the plain form",
        arguments: [(1, 1, 1), (3, 17, 5), (20, 49, 80), (36, 100, 10), (8, 33, 27)],
        [
            (MatrixProduct.Side.plain, MatrixProduct.Side.plain), (.plain, .transposed), (.transposed, .plain),
            (.transposed, .transposed),
        ])
    func products(_ size: (Int, Int, Int), _ sides: (MatrixProduct.Side, MatrixProduct.Side)) {
        let (m, n, k) = size
        MatrixProduct.useOneThread()
        let lda = (sides.0 == .plain ? k : m) + 3
        let ldb = (sides.1 == .plain ? n : k) + 2
        let a = noise((sides.0 == .plain ? m : k) * lda)
        let b = noise((sides.1 == .plain ? k : n) * ldb, seed: 2)
        for beta: Float in [0, 1] {
            let start = noise(m * (n + 4), seed: 3)
            let found = Guarded(start)
            let wanted = Guarded(start)
            MatrixProduct.multiply(
                sides.0, sides.1, m: m, n: n, k: k, a, lda, b, ldb, beta: beta, found.pointer, n + 4)
            MatrixProduct.reference(
                sides.0, sides.1, m: m, n: n, k: k, a, lda, b, ldb, beta: beta, wanted.pointer, n + 4)
            #expect(isClose(found.values, wanted.values, rtol: 1e-4, atol: 1e-5) && found.isIntact)

            let double = Guarded(start.map(Double.init))
            MatrixProduct.multiply(
                sides.0, sides.1, m: m, n: n, k: k, a.map(Double.init), lda, b.map(Double.init), ldb,
                beta: Double(beta), double.pointer, n + 4)
            #expect(isClose(double.values.map(Float.init), wanted.values, rtol: 1e-4, atol: 1e-5) && double.isIntact)
        }
    }

    @Test("Sums of products, of both kinds of element", arguments: [0, 1, 7, 8, 9, 40, 163])
    func dotProducts(_ count: Int) {
        let a = noise(count)
        let b = noise(count, seed: 2)
        let wanted = zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        #expect(abs(DotProduct.sum(a, b, count) - wanted) <= 1e-12)
        #expect(abs(DotProduct.sum(a.map(Double.init), b.map(Double.init), count) - wanted) <= 1e-12)
    }

    @Test("The loss is the formula's, and its gradient the central difference", arguments: [2, 5, 10], [0, 0.1])
    func crossEntropy(_ classes: Int, _ smoothing: Double) {
        let logits = noise(classes).map { 4 * $0 }
        for label in 0..<classes {
            func formula(_ values: [Double]) -> Double {
                let partition = values.reduce(0) { $0 + exp($1) }
                return (0..<classes).reduce(0) { sum, index in
                    let target = (index == label ? 1 - smoothing : 0) + smoothing / Double(classes)
                    return sum - target * (values[index] - log(partition))
                }
            }
            let gradient = Guarded<Float>(count: classes)
            let loss = CrossEntropy.evaluate(
                logits, label: label, classes: classes, smoothing: smoothing, gradient: gradient.pointer, factor: 0.5)
            let exact = logits.map(Double.init)
            #expect(abs(loss - formula(exact)) < 1e-9)
            for index in 0..<classes {
                var (up, down) = (exact, exact)
                up[index] += 1e-5
                down[index] -= 1e-5
                let slope = (formula(up) - formula(down)) / 2e-5
                #expect(abs(Double(gradient.values[index]) - 0.5 * slope) < 1e-6)
            }
            #expect(gradient.isIntact)
        }
    }

    @Test("Huge logits do not overflow")
    func hugeLogits() {
        let loss = CrossEntropy.evaluate(
            [1e4, -1e4, 0], label: 0, classes: 3, smoothing: 0, gradient: nil, factor: 1)
        #expect(loss == 0)
    }

    @Test("Ranks count what beats the label; ties go to the lower index; NaN is last")
    func ranks() {
        #expect(CrossEntropy.rank([1, 3, 2], label: 1, classes: 3) == 0)
        #expect(CrossEntropy.rank([1, 3, 2], label: 0, classes: 3) == 2)
        #expect(CrossEntropy.rank([2, 2, 2], label: 1, classes: 3) == 1)
        #expect(CrossEntropy.rank([.nan, 1], label: 0, classes: 2) == .max)
    }
}
