internal import CIsolation
internal import Foundation
internal import Glibc
internal import Support

/// The first message to a helper.
struct HelperSetup: Codable {
    var settings: SampleSettings
    /// Size of the shared memory.
    var memoryBytes: Int
}

/// The helper's side: the hidden command `decode-helper`. It decodes what it is asked to until its socket closes.
///
/// Limits, each for this process alone: processor time for one picture (SIGPROF ends it), address space, no core file.
/// Big pictures are decoded by one helper of a run at a time, so that a run's memory does not grow with its threads.
///
/// Whoever takes a decoder over with a picture of his has a process that can read files and answer. It can change none,
/// use no socket, and start and signal nothing.
public enum DecodeHelperProgram {
    /// The descriptors a helper is born with.
    static let socket: Int32 = 0
    static let memory: Int32 = 3

    /// What a picture may cost beside its file, in bytes a pixel: coefficients of a progressive CMYK JPEG (8), the
    /// picture (3) and the turned picture (3), with some room.
    static let bytesPerPixel = 16
    static let headroom = 1 << 30

    /// Pictures of more bytes than this are decoded one at a time.
    static let bigPicture = 64 << 20

    /// Returns the exit status. Must be called while the process has one thread.
    ///
    /// - Parameters:
    ///   - crashingOn: files whose name has this in it end the process by SIGABRT; for tests of what then becomes of
    ///     the run.
    ///   - probingOn: files whose name has this in it are not decoded but answered by what this process can still do,
    ///     which it tries on them; for tests of how it shuts itself in.
    public static func run(crashingOn: String? = nil, probingOn: String? = nil) -> Int32 {
        HelperProcess.endWithStarter()
        // Of the time limit: it must get through whatever the run does with it.
        signal(SIGPROF, SIG_DFL)
        var noCore = rlimit()
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &noCore)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: SampleRequest.limit, alignment: 16)
        defer { buffer.deallocate() }
        guard let first = HelperSocket.receive(from: socket, into: buffer),
            let setup = try? JSONDecoder().decode(HelperSetup.self, from: Data(first)),
            let samples = SharedMemory(descriptor: memory, count: setup.memoryBytes)
        else { return 64 }
        let options = setup.settings.decoding
        limitAddressSpace(to: options.maximumPixels * bytesPerPixel + options.maximumFileBytes + headroom)

        let reader = SampleReader(setup.settings)
        let gate = BigPictureGate(descriptor: memory)
        reader.decoder.beforePixels = { bytes in if bytes > bigPicture { gate.enter() } }
        let elements = setup.settings.preprocessing.elementsPerImage
        // Where the kernel cannot do the one, the other is worth having; without both the limits have to do alone.
        _ = cisolation_confine_to_reading()
        _ = cisolation_refuse_calls()
        while let message = HelperSocket.receive(from: socket, into: buffer) {
            guard let request = SampleRequest(message), request.offset >= 0,
                request.offset + elements <= samples.count
            else { return 65 }
            if let crashingOn, request.path.description.contains(crashingOn) { abort() }
            if let probingOn, request.path.description.contains(probingOn) {
                if !HelperSocket.send(probe(request.path).message, to: socket) { return 0 }
                continue
            }
            _ = cisolation_limit_processor_time(options.maximumSeconds)
            let outcome = reader.read(
                request.path, record: request.record, epoch: request.epoch, into: samples.bytes + request.offset)
            _ = cisolation_limit_processor_time(0)
            gate.leave()
            if !HelperSocket.send(outcome.message, to: socket) { return 0 }
        }
        return 0
    }

    private static func probe(_ file: RawPath) -> SlotOutcome {
        let found = file.withCString { String(cString: cisolation_probe($0)) }
        return SlotOutcome(error: ImageError(.unreadable, "this could be done: \(found)"))
    }

    /// Lets the address space grow by so many bytes from what it is now.
    private static func limitAddressSpace(to more: Int) {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
            let pages = text.split(separator: " ").first.flatMap({ Int($0) })
        else { return }
        let bytes = rlim_t(pages * Int(sysconf(Int32(_SC_PAGESIZE))) + more)
        var limit = rlimit(rlim_cur: bytes, rlim_max: bytes)
        setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
    }
}

/// A lock among the helpers of one run: a record lock on their shared memory (fcntl(2)), which the kernel takes back
/// from a helper that dies.
final class BigPictureGate {
    private let descriptor: Int32
    private var isInside = false

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    func enter() {
        if !isInside { isInside = set(Int32(F_WRLCK)) }
    }

    func leave() {
        if isInside { isInside = !set(Int32(F_UNLCK)) }
    }

    private func set(_ type: Int32) -> Bool {
        var lock = flock()
        lock.l_type = Int16(type)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_len = 1
        while fcntl(descriptor, F_SETLKW, &lock) != 0 {
            if errno != EINTR { return false }
        }
        return true
    }
}
