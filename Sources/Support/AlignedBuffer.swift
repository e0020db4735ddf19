import Glibc

/// A fixed-size block of plain values on a 64-byte boundary (one cache line, one 512-bit register), zero-filled. 64 bytes
/// more may be read, so that the last values can be loaded with whole registers.
///
/// The buffer owns its memory and frees it when the last reference goes. Pointers handed out are valid as long as
/// the buffer lives; callers that keep only a pointer must keep the buffer too.
public final class AlignedBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
    // Unchecked: the memory is plain values; who writes when is settled by the owner (the engine's fixed partition
    // of work), as for any unsafe buffer.
    public static var alignment: Int { 64 }
    /// From so many bytes on a block lies on large pages.
    private static var largeBlock: Int { 128 << 10 }

    public let count: Int
    public let pointer: UnsafeMutablePointer<Element>
    /// Where a large block lies.
    private let pages: LargePages?

    /// Allocates `count` zero elements. Traps when the system has no memory left, as Swift's own arrays do.
    public init(count: Int) {
        precondition(count >= 0, "a buffer cannot have \(count) elements")
        self.count = count
        let bytes = count * MemoryLayout<Element>.stride + Self.alignment
        let raw: UnsafeMutableRawPointer
        if bytes >= Self.largeBlock {
            let block = LargePages.block(bytes: bytes)
            (raw, pages) = (block.start, block.mapping)
        } else {
            raw = .allocate(byteCount: bytes, alignment: Self.alignment)
            memset(raw, 0, bytes)
            pages = nil
        }
        pointer = raw.bindMemory(to: Element.self, capacity: count)
    }

    public convenience init(_ values: some Collection<Element>) {
        self.init(count: values.count)
        for (index, value) in values.enumerated() { pointer[index] = value }
    }

    deinit {
        if pages == nil { pointer.deallocate() }
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
