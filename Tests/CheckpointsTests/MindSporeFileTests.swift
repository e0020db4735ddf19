import Checkpoints
import Foundation
import Support
import TestSupport
import Testing

@Suite struct MindSporeFileTests {
    @Test(arguments: GoldenFolder.all(.network))
    func everyParameterOfAGoldenFileIsReadInOrder(folder: GoldenFolder) throws {
        let golden: GoldenCase = try folder.decodeCase()
        #expect(!folder.checkpointPaths.isEmpty)
        for path in folder.checkpointPaths {
            let checkpoint = try MindSporeFile.read(path: path)
            let found = checkpoint.tensors.map { GoldenCase.Parameter(name: $0.name, shape: $0.shape) }
            #expect(found == golden.parameters)
            #expect(checkpoint.tensors.allSatisfy { $0.elementType == .float32 })
        }
    }

    @Test func numbersOfAGoldenFileAreThoseItsBytesSpell() throws {
        let checkpoint = try MindSporeFile.read(path: Fixture.path("golden/g3_0.5x/initial.ckpt"))
        let weight = try #require(checkpoint.tensor("first_conv.0.weight"))
        let values = try weight.elements(as: Float.self)
        #expect(values.count == 12 * 3 * 3 * 3)
        // Bytes 64 bb fb 3d, 33 a0 dc bd at offset 0x2f of the file.
        #expect(values[0] == Float(bitPattern: 0x3DFB_BB64))
        #expect(values[1] == Float(bitPattern: 0xBDDC_A033))
    }

    @Test func optimiserStateOfATrainingFileIsRead() throws {
        let path = Fixture.path("golden/model_checkpoint/shufflenetv1-2_3.ckpt")
        let checkpoint = try MindSporeFile.read(path: path)
        let weight = try #require(checkpoint.tensor("classifier.weight"))
        let moment = try #require(checkpoint.tensor("moments.classifier.weight"))
        #expect(moment.shape == weight.shape)
        let step = try #require(checkpoint.tensor("global_step"))
        #expect(step.elementType == .int32)
        #expect(try #require(checkpoint.tensor("learning_rate")).floats().count == 1)
        #expect(try #require(checkpoint.tensor("momentum")).floats() == [0.9])
    }

    @Test(arguments: GoldenFolder.all.flatMap(\.checkpointPaths))
    func writingAGoldenFileAgainGivesTheSameBytes(path: String) throws {
        let original = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        let checkpoint = try MindSporeFile.read(original)
        let hasChecksum = original.suffix(17).starts(with: "crc_num".utf8)
        #expect(try MindSporeFile.serialized(checkpoint, checksum: hasChecksum) == original)
        #expect(try MindSporeFile.read(MindSporeFile.serialized(checkpoint)) == checkpoint)
    }

    @Test func everyTypeTextSliceAndChecksumOfMindSporeIsRead() throws {
        let found = try MindSporeFile.read(path: Fixture.path("checkpoints/written_by_mindspore.ckpt"))
        #expect(try found.tensor("f32")?.elements() == [Float(1), -2.5, 0.1, 3])
        #expect(found.tensor("f32")?.shape == [2, 2])
        #expect(try found.tensor("f64")?.elements() == [Double.pi])
        #expect(try found.tensor("f16")?.elements() == [Float16(0.5), -2])
        #expect(try found.tensor("bf16")?.floats() == [1, -2.5])
        #expect(try found.tensor("i8")?.elements() == [Int8(-1)])
        #expect(try found.tensor("i16")?.elements() == [Int16(-2)])
        #expect(try found.tensor("i32")?.elements() == [Int32(-3)])
        #expect(try found.tensor("i64")?.elements() == [Int64(-4)])
        #expect(try found.tensor("u8")?.elements() == [UInt8(1)])
        #expect(try found.tensor("u16")?.elements() == [UInt16(2)])
        #expect(try found.tensor("u32")?.elements() == [UInt32(3)])
        #expect(try found.tensor("u64")?.elements() == [UInt64(4)])
        #expect(found.tensor("bool") == NamedTensor(name: "bool", shape: [2], elements: [true, false]))
        #expect(found.tensor("epoch_num") == NamedTensor(name: "epoch_num", shape: [], elements: [Int64(3)]))
        #expect(try found.tensor("lr")?.floats() == [0.25])
        #expect(found.tensor("done") == NamedTensor(name: "done", shape: [], elements: [true]))
        #expect(found.text("note") == "花 é")
        #expect(found.text("none") == "")
    }

    @Test func theBytesOfTheFormatStandStill() throws {
        let bytes = try Fixture.bytes("checkpoints/varied.ckpt")
        #expect(try MindSporeFile.serialized(SmallCheckpoint.varied) == bytes)
        #expect(try MindSporeFile.read(bytes) == SmallCheckpoint.varied)
    }

    @Test func everyTypeShapeAndTextSurvivesTheFile() throws {
        let checkpoint = SmallCheckpoint.varied
        try TemporaryFolder.use { folder in
            let path = folder + "/m.ckpt"
            try MindSporeFile.write(checkpoint, to: path)
            #expect(try MindSporeFile.read(path: path) == checkpoint)
        }
    }

    @Test func theTailIsTheChecksumAsPythonComputesIt() throws {
        // binascii.crc32(bytes) of the same bytes, written as `crc_check=True` writes them.
        let bytes = try MindSporeFile.serialized(Checkpoint(tensors: [SmallCheckpoint.pair]))
        #expect(bytes.dropLast(17) == [UInt8](hex: "0a1a0a0170121508021207466c6f617433321a080000803f000000c0"))
        #expect(bytes.suffix(17) == [UInt8]("crc_num".utf8) + [UInt8](hex: SmallCheckpoint.pairChecksum))
    }

    @Test(arguments: [1, 3, 4, 8, 1000])
    func slicedTensorsAreJoined(limit: Int) throws {
        let sliced = try MindSporeFile.serialized(SmallCheckpoint.varied, sliceLimit: limit)
        let whole = try MindSporeFile.serialized(SmallCheckpoint.varied)
        #expect((sliced.count > whole.count) == (limit < 1000))
        #expect(try MindSporeFile.read(sliced) == SmallCheckpoint.varied)
    }

    @Test func aScalarThatMindSporeWroteWithTheExtentZeroIsAScalar() throws {
        // {tag: "s", tensor: {dims: [0], type: "Int32", bytes: 7}}
        let bytes = [UInt8](hex: "0a140a0173120f08001205496e7433321a0407000000")
        #expect(try MindSporeFile.read(bytes).tensor("s") == NamedTensor(name: "s", shape: [], elements: [Int32(7)]))
    }

    @Test func aFileThatCannotBeWrittenSaysWhy() throws {
        let error = try #require(
            #expect(throws: CheckpointError.self) {
                try MindSporeFile.write(SmallCheckpoint.varied, to: "/nowhere/m.ckpt")
            })
        #expect(error.description.hasPrefix("could not write checkpoint '/nowhere/m.ckpt': open "))
        #expect(error.systemError?.code == ENOENT)
    }
}
