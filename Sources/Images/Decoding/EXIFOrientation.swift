/// How a stored picture must be turned to stand upright: the values of the EXIF tag 0x0112 (EXIF 2.3, §4.6.4 A).
public enum EXIFOrientation: UInt8, Sendable, CaseIterable {
    case upright = 1
    case mirrored = 2
    case upsideDown = 3
    case flipped = 4
    case transposed = 5
    case quarterTurnRight = 6
    case transverse = 7
    case quarterTurnLeft = 8

    /// Whether width and height change places.
    public var swapsSides: Bool { rawValue >= 5 }

    /// Reads the orientation from an EXIF block that begins with its TIFF header. `.upright` when there is none or the
    /// block makes no sense: a wrong tag must not cost a picture.
    public init(exif bytes: UnsafeRawBufferPointer) {
        self = Self.read(bytes) ?? .upright
    }

    private static func read(_ bytes: UnsafeRawBufferPointer) -> EXIFOrientation? {
        guard bytes.count >= 8 else { return nil }
        let isLittleEndian: Bool
        switch (bytes[0], bytes[1]) {
        case (0x49, 0x49): isLittleEndian = true
        case (0x4D, 0x4D): isLittleEndian = false
        default: return nil
        }
        func short(_ offset: Int) -> Int? {
            guard offset >= 0, offset + 2 <= bytes.count else { return nil }
            let (a, b) = (Int(bytes[offset]), Int(bytes[offset + 1]))
            return isLittleEndian ? a | b << 8 : a << 8 | b
        }
        func long(_ offset: Int) -> Int? {
            guard let a = short(offset), let b = short(offset + 2) else { return nil }
            return isLittleEndian ? a | b << 16 : a << 16 | b
        }
        guard short(2) == 42, let directory = long(4), let entries = short(directory) else { return nil }
        for entry in 0..<entries {
            let offset = directory + 2 + entry * 12
            guard let tag = short(offset), let type = short(offset + 2), let count = long(offset + 4) else {
                return nil
            }
            guard tag == 0x0112 else { continue }
            // Of several values this may be the place where they lie.
            guard count == 1 else { return nil }
            let value: Int?
            switch type {
            case 1: value = offset + 8 < bytes.count ? Int(bytes[offset + 8]) : nil
            case 3: value = short(offset + 8)
            case 4: value = long(offset + 8)
            default: value = nil
            }
            return value.flatMap { UInt8(exactly: $0) }.flatMap(EXIFOrientation.init(rawValue:))
        }
        return nil
    }
}
