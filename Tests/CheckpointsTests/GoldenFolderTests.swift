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
        #expect(!golden.losses.isEmpty)
        #expect(golden.parameters.count > golden.trainable.count)
        #expect(golden.optimizer.lr > 0)
    }

    @Test(arguments: GoldenFolder.all(.trajectory))
    func caseFilesOfTrajectoriesAreRead(folder: GoldenFolder) throws {
        let golden: GoldenCase = try folder.decodeCase()
        #expect(!golden.losses.isEmpty)
        #expect(try #require(golden.evaluationRecords).count > 0)
        #expect(golden.optimizer.lr > 0)
    }
}
