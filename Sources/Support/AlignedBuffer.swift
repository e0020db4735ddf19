import Glibc

/// A fixed-size block of plain values on a 64-byte boundary (one cache line, one 512-bit register), zero-filled.
///
/// The buffer owns its memory and frees it when the last reference goes. Pointers handed out are valid as long as
/// the buffer lives; callers that keep only a pointer must keep the buffer too.
public final class AlignedBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
    // Unchecked: the memory is plain values; who writes when is settled by the owner (the engine's fixed partition
    // of work), as for any unsafe buffer.
    public static var alignment: Int { 64 }
    /// Large blocks lie on boundaries of the large pages that the system is asked for: kernels that walk many long rows
    /// at once would need more small ones than the CPU's tables hold.
    private static var largePage: Int { 2 << 20 }
    /// From so many bytes on a block takes whole large pages.
    private static var largeBlock: Int { 128 << 10 }

    public let count: Int
    public let pointer: UnsafeMutablePointer<Element>

    /// Allocates `count` zero elements. Traps when the system has no memory left, as Swift's own arrays do.
    public init(count: Int) {
        precondition(count >= 0, "a buffer cannot have \(count) elements")
        self.count = count
        var bytes = max(count * MemoryLayout<Element>.stride, 1)
        let isLarge = bytes >= Self.largeBlock
        if isLarge { bytes = (bytes + Self.largePage - 1) / Self.largePage * Self.largePage }
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: bytes, alignment: isLarge ? Self.largePage : Self.alignment)
        // Advice: a system without large pages goes on with small ones.
        if isLarge { _ = madvise(raw, bytes, MADV_HUGEPAGE) }
        memset(raw, 0, bytes)
        pointer = raw.bindMemory(to: Element.self, capacity: count)
    }

    public convenience init(_ values: some Collection<Element>) {
        self.init(count: values.count)
        for (index, value) in values.enumerated() { pointer[index] = value }
    }

    deinit {
        pointer.deallocate()
    }

    public subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count, "index \(index) outside a buffer of \(count)")
            return pointer[index]
        }
        set {
            precondition(index >= 0 && index < count, "index \(index) outside a buffer of \(count)")
            pointer[index] = newValue
        }
    }

    public var buffer: UnsafeMutableBufferPointer<Element> {
        UnsafeMutableBufferPointer(start: pointer, count: count)
    }

    public var array: [Element] { Array(buffer) }

    public func fill(with value: Element) {
        buffer.update(repeating: value)
    }
}
