internal import CZlib

/// The CRC-32 of zlib, PNG and Python's `binascii.crc32`.
public struct CRC32 {
    /// The checksum of the bytes so far.
    public private(set) var value: UInt32 = 0

    public init() {}

    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        value = UInt32(crc32_z(UInt(value), bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count))
    }
}
