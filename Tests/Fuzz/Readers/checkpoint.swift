/// libFuzzer on the reader of MindSpore's checkpoints, and on what is read out of one that could be read.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    if let checkpoint = try? MindSporeFile.read(Array(UnsafeBufferPointer(start: start, count: count))) {
        _ = CheckpointSummary(checkpoint)
        _ = try? ModelFile(checkpoint)
    }
    return 0
}
