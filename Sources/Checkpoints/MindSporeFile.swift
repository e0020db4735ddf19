/// The `.ckpt` format of MindSpore: a protobuf `Checkpoint` (see `checkpoint.proto`), optionally with a checksum.
///
/// As `mindspore/train/serialization.py` of version 2.10.0 has it:
/// - a value is an entry's name and its tensor: extents, type name, little-endian bytes in row-major order;
/// - a tensor of more than 512 MiB comes in slices: neighbouring values of one name, each with the whole extents,
///   whose bytes are joined;
/// - a text has the type `str`, the extents `[0]` and numpy's bytes: UTF-32LE, at least one code unit, trailing zeros
///   not counted;
/// - with `crc_check` 17 bytes end the file: `crc_num` and the CRC-32 of everything before it, big-endian in 10 bytes.
public enum MindSporeFile {
    /// The largest piece of a tensor in one value.
    public static let sliceLimit = 512 << 20

    static let textType = "str"
    static let checksumMark = [UInt8]("crc_num".utf8)
    static let checksumTailCount = checksumMark.count + 10
    /// The key byte of `Checkpoint.value`: field 1, a message.
    static let valueKey: UInt8 = 0x0A
    /// The length no protobuf message may reach.
    static let messageLimit = 1 << 31
}
