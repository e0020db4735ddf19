internal import Glibc
internal import Synchronization

/// Zero-filled memory on the large pages that the system is asked for: kernels that walk many long rows at once would need
/// more small ones than the CPU's tables hold.
///
/// Blocks lie one behind the other, so that only what is used of a mapping is ever cleared; a mapping goes with the last of
/// its blocks. Blocks that would fill most of one have a mapping of their own.
final class LargePages: Sendable {
    private static let page = 2 << 20
    private static let shared = 64 << 20
    private static let ownMapping = 16 << 20
    private static let current = Mutex(Current())

    /// The mapping that the next blocks come from.
    private struct Current {
        weak var mapping: LargePages?
        var used = 0
    }

    // Unchecked: who writes to a block is settled by its owner.
    private nonisolated(unsafe) let start: UnsafeMutableRawPointer
    private let bytes: Int

    /// Returns a block on a boundary of 64 bytes, which is good as long as its mapping lives. Traps when the system has no
    /// memory left.
    static func block(bytes: Int) -> (start: UnsafeMutableRawPointer, mapping: LargePages) {
        if bytes >= ownMapping {
            let mapping = LargePages(bytes: bytes)
            return (mapping.start, mapping)
        }
        return current.withLock { current in
            let hasRoom = current.used + bytes <= shared
            let mapping = (hasRoom ? current.mapping : nil) ?? LargePages(bytes: shared)
            if mapping !== current.mapping { current = Current(mapping: mapping) }
            let start = mapping.start + current.used
            current.used += (bytes + 63) / 64 * 64
            return (start, mapping)
        }
    }

    private init(bytes: Int) {
        self.bytes = (bytes + Self.page - 1) / Self.page * Self.page
        // A page more than wanted, to begin on a boundary; what lies before and behind is given back.
        let whole = mmap(nil, self.bytes + Self.page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let whole, whole != MAP_FAILED else { fatalError("no memory left for \(bytes) bytes") }
        start = whole.alignedUp(toMultipleOf: Self.page)
        let before = start - whole
        if before > 0 { munmap(whole, before) }
        munmap(start + self.bytes, Self.page - before)
        // Advice: a system without large pages goes on with small ones.
        _ = madvise(start, self.bytes, MADV_HUGEPAGE)
    }

    deinit {
        munmap(start, bytes)
    }
}
