internal import Dispatch
internal import Glibc
internal import Support
internal import Synchronization

/// inotify(7): hints that something changed in the watched folders. The descriptor is read on a dispatch queue; the
/// events wait in an inbox until `take`.
final class FolderWatch: @unchecked Sendable {
    // Unchecked: a dispatch source may be used from any thread, its type in the overlay just does not say so.
    struct Event: Equatable, Sendable {
        /// -1 with `IN_Q_OVERFLOW`.
        let watch: Int32
        let mask: UInt32
        let cookie: UInt32
        let name: EntryName?

        func has(_ flag: some BinaryInteger) -> Bool { mask & UInt32(truncatingIfNeeded: flag) != 0 }
    }

    private struct Inbox {
        var events: [Event] = []
        var hasOverflown = false
    }

    /// More than this many events at rest are as good as an overflow.
    static let inboxLimit = 1 << 17
    private static let mask =
        UInt32(IN_CREATE) | UInt32(IN_MOVED_TO) | UInt32(IN_MOVED_FROM) | UInt32(IN_CLOSE_WRITE) | UInt32(IN_DELETE)
        | UInt32(IN_DELETE_SELF) | UInt32(IN_ONLYDIR)

    private let descriptor: Int32
    private let inbox = Mutex(Inbox())
    private let source: any DispatchSourceRead

    /// Throws `SystemError` when the user's instances are used up or the kernel has no inotify.
    init(onEvent: @escaping @Sendable () -> Void) throws(SystemError) {
        let descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        if descriptor < 0 { throw SystemError("inotify_init1", on: "incoming") }
        self.descriptor = descriptor
        source = DispatchSource.makeReadSource(
            fileDescriptor: descriptor, queue: DispatchQueue(label: "spool.inotify"))
        source.setEventHandler { [weak self] in
            self?.drain()
            onEvent()
        }
        source.setCancelHandler { close(descriptor) }
        source.resume()
    }

    deinit {
        source.cancel()
    }

    /// Watches an open folder; the same number for the same folder. Throws ENOSPC when the watches are used up.
    func add(_ folder: FolderHandle) throws(SystemError) -> Int32 {
        // By descriptor, not by path: what is watched is what was opened.
        let watch = inotify_add_watch(descriptor, "/proc/self/fd/\(folder.descriptor)", Self.mask)
        if watch < 0 { throw SystemError("inotify_add_watch", on: folder.label) }
        return watch
    }

    func remove(_ watch: Int32) {
        // EINVAL: the kernel removed it with the folder.
        _ = inotify_rm_watch(descriptor, watch)
    }

    /// The events since the last call; `overflow` when some were lost.
    func take() -> (events: [Event], overflow: Bool) {
        inbox.withLock { inbox in
            defer { inbox = Inbox() }
            return (inbox.events, inbox.hasOverflown)
        }
    }

    private func drain() {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 8)
        defer { block.deallocate() }
        while true {
            let count = read(descriptor, block.baseAddress!, block.count)
            if count <= 0 { return }
            let events = Self.parse(UnsafeRawBufferPointer(rebasing: block[..<count]))
            inbox.withLock { inbox in
                for event in events {
                    if event.has(IN_Q_OVERFLOW) || inbox.events.count >= Self.inboxLimit {
                        inbox.hasOverflown = true
                    } else {
                        inbox.events.append(event)
                    }
                }
            }
        }
    }

    /// struct inotify_event, see inotify(7): wd, mask, cookie, len, then a name padded by NUL.
    private static func parse(_ bytes: UnsafeRawBufferPointer) -> [Event] {
        var events: [Event] = []
        var offset = 0
        while offset + 16 <= bytes.count {
            let length = Int(bytes.load(fromByteOffset: offset + 12, as: UInt32.self))
            let name = bytes[(offset + 16)..<min(offset + 16 + length, bytes.count)].prefix { $0 != 0 }
            events.append(
                Event(
                    watch: bytes.load(fromByteOffset: offset, as: Int32.self),
                    mask: bytes.load(fromByteOffset: offset + 4, as: UInt32.self),
                    cookie: bytes.load(fromByteOffset: offset + 8, as: UInt32.self),
                    name: name.isEmpty ? nil : EntryName(bytes: Array(name))))
            offset += 16 + length
        }
        return events
    }
}
