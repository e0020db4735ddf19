/// libFuzzer on the reader of safetensors.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    if let checkpoint = try? SafeTensors.read(Array(UnsafeBufferPointer(start: start, count: count))) {
        _ = CheckpointSummary(checkpoint)
        _ = try? ModelFile(checkpoint)
    }
    return 0
}
