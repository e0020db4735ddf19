internal import Glibc

/// What a run asks of a helper: one message of a SOCK_SEQPACKET pair. Both ends are the same program, so values travel
/// as they lie in memory.
struct SampleRequest: Equatable {
    var record: Int
    var epoch: Int
    /// Where the sample's colours begin in the shared memory.
    var offset: Int
    var path: RawPath

    /// The longest message; a longer path could not be opened anyway.
    static let limit = 64 << 10

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for value in [record, epoch, offset] { withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) } }
        return bytes + path.bytes
    }

    init(record: Int, epoch: Int, offset: Int, path: RawPath) {
        self.record = record
        self.epoch = epoch
        self.offset = offset
        self.path = path
    }

    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 24 else { return nil }
        record = bytes.loadUnaligned(fromByteOffset: 0, as: Int.self)
        epoch = bytes.loadUnaligned(fromByteOffset: 8, as: Int.self)
        offset = bytes.loadUnaligned(fromByteOffset: 16, as: Int.self)
        path = RawPath(bytes: bytes[24...])
    }
}

extension SlotOutcome {
    /// The answer: kind of error (0: none), whether size and hash follow, size, hash, sentence.
    var message: [UInt8] {
        let kinds = ImageError.Kind.allCases
        var bytes: [UInt8] = [
            error.map { UInt8(kinds.firstIndex(of: $0.kind)! + 1) } ?? 0, size == nil ? 0 : 1, sha256 == nil ? 0 : 1,
        ]
        for value in [size?.width ?? 0, size?.height ?? 0] {
            withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
        }
        bytes += sha256?.bytes ?? [UInt8](repeating: 0, count: SHA256Digest.byteCount)
        if let error { bytes += error.sentence.utf8.prefix(4096) }
        return bytes
    }

    /// Nil for bytes that are no answer: a helper that was taken over may send anything.
    init?(message bytes: UnsafeRawBufferPointer) {
        let head = 19 + SHA256Digest.byteCount
        let kinds = ImageError.Kind.allCases
        guard bytes.count >= head, Int(bytes[0]) <= kinds.count else { return nil }
        self.init()
        if bytes[0] > 0 {
            error = ImageError(kinds[Int(bytes[0]) - 1], String(decoding: bytes[head...], as: UTF8.self))
        }
        if bytes[1] == 1 {
            let width = bytes.loadUnaligned(fromByteOffset: 3, as: Int.self)
            let height = bytes.loadUnaligned(fromByteOffset: 11, as: Int.self)
            size = (width, height)
        }
        if bytes[2] == 1 { sha256 = SHA256Digest(bytes: Array(bytes[19..<head])) }
    }
}

/// Messages over a connected socket.
enum HelperSocket {
    static func pair() -> (ours: Int32, theirs: Int32)? {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        return socketpair(AF_UNIX, kind, 0, &ends) == 0 ? (ends[0], ends[1]) : nil
    }

    /// False when the other end is gone or the message is too long.
    static func send(_ bytes: [UInt8], to socket: Int32) -> Bool {
        while true {
            let sent = Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            if sent == bytes.count { return true }
            if sent < 0 && errno == EINTR { continue }
            return false
        }
    }

    /// The bytes of the next message at the start of `buffer`; nil when the other end is gone.
    static func receive(from socket: Int32, into buffer: UnsafeMutableRawBufferPointer) -> UnsafeRawBufferPointer? {
        while true {
            let got = recv(socket, buffer.baseAddress!, buffer.count, 0)
            if got < 0 && errno == EINTR { continue }
            return got > 0 ? UnsafeRawBufferPointer(rebasing: buffer[0..<got]) : nil
        }
    }
}
