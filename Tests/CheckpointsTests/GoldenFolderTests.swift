import Checkpoints
import TestSupport
import Testing

@Suite struct GoldenFolderTests {
    @Test func everyFolderIsOfAKnownKind() {
        #expect(GoldenFolder.all.filter { $0.kind == .unknown }.map(\.path) == [])
        #expect(GoldenFolder.all.count >= 5)
    }

    @Test(arguments: GoldenFolder.all(.network))
    func caseFilesOfNetworksAreRead(folder: GoldenFolder) throws {
        let golden: GoldenCase = try folder.decodeCase()
        #expect(golden.losses.count == 3)
        #expect(golden.parameters.count > golden.trainable.count)
        #expect(golden.optimizer.momentum == 0.9)
    }

    @Test(arguments: GoldenFolder.all(.trajectory))
    func caseFilesOfTrajectoriesAreRead(folder: GoldenFolder) throws {
        let golden: GoldenCase = try folder.decodeCase()
        #expect(golden.losses.count == 20)
        #expect(golden.evaluationRecords?.count == 64)
        #expect(golden.optimizer.weightDecay == 4e-5)
    }
}
