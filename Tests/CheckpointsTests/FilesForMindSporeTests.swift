import Checkpoints
import Foundation
import ShuffleNet
import TestSupport
import Testing

/// Files for `Fixtures/golden/check_with_mindspore.py`, left in the folder that `CHECKPOINTS_OUT` names.
@Suite struct FilesForMindSporeTests {
    @Test func filesForMindSporeAreWrittenAndReadBack() throws {
        try TemporaryFolder.use(orKept: "CHECKPOINTS_OUT") { try write(into: $0) }
    }

    private func write(into folder: String) throws {
        for golden in GoldenFolder.all(.network) {
            var file = try ModelFile(path: "\(golden.path)/initial.ckpt")
            file.card.classNames = (0..<file.configuration.classes).map { "klasse \($0) 花" }
            file.card.preprocessing = #"{"pixels":224}"#
            file.card.training = #"{"epochs":1}"#
            for ending in ["ckpt", "safetensors"] {
                let path = "\(folder)/\(golden.name).initial.\(ending)"
                try file.write(to: path)
                #expect(try ModelFile(path: path) == file)
            }
        }
        var training = try ModelFile(path: Fixture.path("golden/model_checkpoint/shufflenetv1-2_3.ckpt"))
        training.card.runState = #"{"epoch":2}"#
        try training.write(to: "\(folder)/training.ckpt")
        #expect(try ModelFile(path: "\(folder)/training.ckpt") == training)
        try MindSporeFile.write(SmallCheckpoint.varied, to: "\(folder)/varied.ckpt")
        // MindSpore never cuts a text, and would not join one.
        let tensors = Checkpoint(tensors: SmallCheckpoint.varied.tensors)
        try MindSporeFile.write(tensors, to: "\(folder)/sliced.ckpt", sliceLimit: 8)
        #expect(try MindSporeFile.read(path: "\(folder)/sliced.ckpt") == tensors)
    }
}
