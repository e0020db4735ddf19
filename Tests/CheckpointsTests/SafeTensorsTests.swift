import Checkpoints
import Foundation
import TestSupport
import Testing

@Suite struct SafeTensorsTests {
    @Test(arguments: GoldenFolder.all.filter { [.network, .units, .preprocess, .trajectory].contains($0.kind) })
    func goldenTensorsAreRead(folder: GoldenFolder) throws {
        let tensors = try folder.tensors()
        #expect(!tensors.isEmpty)
        for tensor in tensors.values { #expect(tensor.shape.reduce(1, *) == tensor.count) }
    }

    @Test func typesAndShapesAreThoseOfTheHeader() throws {
        let tensors = try SafeTensors.read(path: Fixture.path("golden/g3_0.5x/tensors.safetensors"))
        let labels = try #require(tensors.tensor("labels"))
        #expect(try labels.elements(as: Int32.self).count == 4)
        #expect(tensors.tensor("input")?.shape == [4, 3, 224, 224])
        #expect(throws: CheckpointError("tensor 'labels' holds int32 values, wanted were float32 values")) {
            try labels.elements(as: Float.self)
        }
    }

    @Test func writtenFilesAreReadBack() throws {
        try TemporaryFolder.use { folder in
            let path = folder + "/m.safetensors"
            try SafeTensors.write(SmallCheckpoint.varied, to: path)
            let found = try SafeTensors.read(path: path)
            #expect(found.tensors == SmallCheckpoint.varied.tensors)
            #expect(found.text("text") == SmallCheckpoint.varied.text("text"))
            #expect(found.text("no text") == "")
        }
    }

    @Test func aFileCutAtAnyByteThrows() throws {
        try TemporaryFolder.use { folder in
            let path = folder + "/m.safetensors"
            try SafeTensors.write(SmallCheckpoint.varied, to: path)
            let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
            for count in bytes.indices {
                #expect(throws: CheckpointError.self) { try SafeTensors.read(Array(bytes[..<count])) }
            }
            #expect(throws: CheckpointError.self) { try SafeTensors.read(bytes + [0]) }
        }
    }

    @Test(arguments: [
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}"#, 8),
        (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4),
        (#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}"#, 4),
        (#"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}"#, 4),
        (#"{"a":{"dtype":"X9","shape":[1],"data_offsets":[0,4]}}"#, 4),
        (#"{"a":{"dtype":"F32","shape":[1]}}"#, 4),
        (#"{"a":{"b":"c"}}"#, 0),
        (#"{"a":7}"#, 0),
        (#"["a"]"#, 0),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
            4
        ),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"__metadata__":{"a":"x"}}"#, 4),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 5),
        (String(repeating: #"{"a":"#, count: 10_000), 0),
    ])
    func hostileHeadersThrow(header: String, dataCount: Int) {
        let length = withUnsafeBytes(of: UInt64(header.utf8.count)) { Array($0) }
        let bytes = length + Array(header.utf8) + [UInt8](repeating: 0, count: dataCount)
        #expect(throws: CheckpointError.self) { try SafeTensors.read(bytes) }
    }

    @Test func aHugeHeaderLengthIsComparedBeforeAnythingIsAllocated() {
        #expect(throws: CheckpointError.self) { try SafeTensors.read([UInt8](repeating: 0xFF, count: 16)) }
    }
}
