internal import CIsolation
internal import Glibc

/// Bytes in memory that helper processes can map too. Not tied to a file system, so that no limit on /dev/shm
/// matters. Zeros at first.
final class SharedMemory: @unchecked Sendable {
    // Unchecked: who may write which part is the owner's business (`PrefetchRing`).
    let descriptor: Int32
    let bytes: UnsafeMutablePointer<UInt8>
    let count: Int

    /// Traps when the system has no memory for it, as any allocation does.
    static func make(count: Int) -> SharedMemory {
        let descriptor = cisolation_memory("shufflenetd samples")
        guard descriptor >= 0, ftruncate(descriptor, max(count, 1)) == 0,
            let memory = SharedMemory(descriptor: descriptor, count: count)
        else { preconditionFailure("no memory for \(count) bytes of samples: \(String(cString: strerror(errno)))") }
        return memory
    }

    /// Maps what another process made; nil when that fails, with the reason in errno.
    init?(descriptor: Int32, count: Int) {
        guard let start = mmap(nil, max(count, 1), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
            start != MAP_FAILED
        else { return nil }
        self.descriptor = descriptor
        self.count = count
        bytes = start.bindMemory(to: UInt8.self, capacity: max(count, 1))
    }

    deinit {
        munmap(bytes, max(count, 1))
        close(descriptor)
    }
}
