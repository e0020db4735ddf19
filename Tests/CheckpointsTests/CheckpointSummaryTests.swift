import Checkpoints
import ShuffleNet
import TestSupport
import Testing

@Suite struct CheckpointSummaryTests {
    @Test func aModelFileIsSummedUp() throws {
        let file = ModelFileTests.trained
        let summary = CheckpointSummary(file.checkpoint)
        #expect(summary.configuration == file.configuration)
        #expect(summary.parameterCount == file.configuration.trainableCount)
        #expect(summary.card == file.card)
        #expect(summary.globalStep == 391)
        #expect(summary.problem == nil)
        #expect(summary.lines.count == file.checkpoint.entries.count)
        #expect(summary.texts["shufflenetd.model_size"] == "0.5x")
        #expect(
            summary.lines.contains(
                .init(name: "classifier.weight", type: "float32", shape: [2, 480], byteCount: 2 * 480 * 4)))
    }

    @Test func whatIsNoNetworkIsListedWithTheReason() throws {
        let path = Fixture.path("checkpoints/written_by_mindspore.ckpt")
        let summary = try CheckpointSummary(path: path)
        #expect(summary.configuration == nil)
        #expect(summary.problem == "it holds no whole ShuffleNet V1: there is no tensor 'first_conv.0.weight'")
        #expect(summary.texts == ["note": "花 é", "none": ""])
        // f32 4, f64 1, f16 2, bf16 2, lr 1
        #expect(summary.parameterCount == 10)
        #expect(summary.tensorCount == 16)
        #expect(summary.lines[0] == .init(name: "f32", type: "float32", shape: [2, 2], byteCount: 16))
    }
}
