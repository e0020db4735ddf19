import Foundation

/// libFuzzer on the reader of CIFAR-10's binary version. The first byte says how many bytes of the input are the file
/// with the names of the classes; the rest is a batch, whose every record is read.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    if count == 0 { return 0 }
    let bytes = Data(UnsafeBufferPointer(start: start, count: count))
    let names = min(Int(bytes[0]), count - 1)
    do {
        try bytes[1..<(1 + names)].write(to: folder.appending(path: "batches.meta.txt"))
        try bytes[(1 + names)...].write(to: folder.appending(path: "test_batch.bin"))
    } catch {
        preconditionFailure("could not write the input to '\(folder.path)': \(error)")
    }
    guard let dataset = try? CIFAR10Dataset(folder: folder.path, part: .test) else { return 0 }
    for index in 0..<dataset.count {
        precondition(dataset.classNames.indices.contains(dataset.label(at: index)))
        _ = dataset.recordName(at: index)
        _ = try? dataset.readImage(at: index, using: decoder, into: image) { _ in 1 }
    }
    return 0
}

private let folder: URL = {
    let folder = FileManager.default.temporaryDirectory.appending(path: "cifar-\(getpid())")
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
}()
nonisolated(unsafe) private let decoder = ImageDecoder(options: DecodingOptions())
nonisolated(unsafe) private let image = RGBImage()
