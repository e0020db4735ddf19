import Glibc
import Support

/// Values right before a page that may not be touched: reading past the last one ends the process.
final class FencedMemory<Element: BitwiseCopyable> {
    let pointer: UnsafeMutablePointer<Element>
    private let base: UnsafeMutableRawPointer
    private let length: Int

    init(_ values: [Element]) throws {
        let page = sysconf(Int32(_SC_PAGESIZE))
        let bytes = values.count * MemoryLayout<Element>.stride
        let room = (bytes + page - 1) / page * page
        length = room + page
        guard let base = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            base != MAP_FAILED, mprotect(base + room, page, PROT_NONE) == 0
        else { throw SystemError("mmap", on: "\(length) bytes") }
        self.base = base
        pointer = (base + room - bytes).bindMemory(to: Element.self, capacity: values.count)
        pointer.update(from: values, count: values.count)
    }

    deinit {
        munmap(base, length)
    }
}
