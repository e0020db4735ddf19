import Foundation

/// libFuzzer on `job.yaml` and `manifest.sha256`. What is taken of a job.yaml must be JSON.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    _ = try? FolderManifest(bytes)
    _ = EntryName.unescape(EntryName.escape(bytes)) == bytes || { preconditionFailure("an escape cannot be undone") }()
    if let json = try? JobYAML.json(from: bytes) {
        do {
            _ = try JSONSerialization.jsonObject(with: Data(json.utf8))
        } catch {
            preconditionFailure("job.yaml became what is no JSON: \(json)")
        }
    }
    return 0
}
