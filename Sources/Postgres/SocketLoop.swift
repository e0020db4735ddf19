internal import CEpoll
internal import Glibc
internal import Support
internal import Synchronization

/// One thread that waits for the sockets of all connections (epoll(7)) and carries out the actors that own them.
///
/// It is an executor of tasks as well: what prefers it goes on here after each answer, so that a statement costs no change
/// of threads. Nothing that blocks or computes for long may run on it: all statements of the process wait meanwhile.
///
/// Unchecked: `watchers`, `jobs` and `nextTick` belong to the loop's own thread; what others may touch is in `inbox`.
final class SocketLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    /// That of the whole process; ends with it.
    static let shared = SocketLoop()

    enum Event {
        /// There is something to read or, if that was asked for, room to write; or the other side is gone.
        case ready
        /// Comes every `tick` to whoever watches: for time limits.
        case tick
    }

    static let tick = Duration.milliseconds(100)

    private struct Inbox {
        var jobs: [UnownedJob] = []
        /// The thread is in epoll_wait and has to be woken.
        var isAsleep = false
    }

    private let epoll: Int32
    private let bell: Int32
    private let inbox = Mutex(Inbox())
    private let thread = Atomic<UInt>(0)
    private var watchers: [Int32: (Event) -> Void] = [:]
    private var jobs: [UnownedJob] = []
    private var nextTick = ContinuousClock.now

    private init() {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        bell = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        precondition(epoll >= 0 && bell >= 0, "\(SystemError("epoll_create1", on: "the loop of sockets"))")
        control(EPOLL_CTL_ADD, bell, UInt32(EPOLLIN.rawValue))
        start()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent {
            jobs.append(job)
            return
        }
        let wake = inbox.withLock { inbox in
            inbox.jobs.append(job)
            defer { inbox.isAsleep = false }
            return inbox.isAsleep
        }
        if wake { eventfd_write(bell, 1) }
    }

    /// Lets `assumeIsolated` succeed in the handlers of events, which are no tasks.
    func checkIsolated() { precondition(isCurrent, "not on the socket loop's thread") }

    /// Calls `handler` on the loop's thread until `forget`. On the loop's thread only.
    func watch(_ socket: Int32, _ handler: @escaping (Event) -> Void) {
        checkIsolated()
        watchers[socket] = handler
        control(EPOLL_CTL_ADD, socket, Self.incoming)
    }

    /// Whether room to write is an event, too. On the loop's thread only.
    func awaitRoom(_ socket: Int32, _ wanted: Bool) {
        checkIsolated()
        control(EPOLL_CTL_MOD, socket, wanted ? Self.incoming | UInt32(EPOLLOUT.rawValue) : Self.incoming)
    }

    /// Before the socket is closed or lent to somebody else. On the loop's thread only.
    func forget(_ socket: Int32) {
        checkIsolated()
        guard watchers.removeValue(forKey: socket) != nil else { return }
        control(EPOLL_CTL_DEL, socket, 0)
    }

    // MARK: The thread

    private static let incoming = UInt32(EPOLLIN.rawValue | EPOLLRDHUP.rawValue)

    private var isCurrent: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    private func control(_ operation: Int32, _ socket: Int32, _ events: UInt32) {
        var event = epoll_event(events: events, data: epoll_data_t(fd: socket))
        let done = epoll_ctl(epoll, operation, socket, &event)
        precondition(done == 0, "epoll_ctl of socket \(socket) failed with \(errno)")
    }

    private func start() {
        // Signals are for the threads that expect them.
        var (all, before) = (sigset_t(), sigset_t())
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        var made = pthread_t()
        let code = pthread_create(
            &made, nil,
            { context in
                Unmanaged<SocketLoop>.fromOpaque(context!).takeUnretainedValue().run()
            }, Unmanaged.passUnretained(self).toOpaque())
        precondition(code == 0, "could not start the socket loop's thread: error \(code)")
        pthread_detach(made)
    }

    private func run() -> Never {
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while true {
            runJobs()
            let count = epoll_wait(epoll, &events, Int32(events.count), timeout())
            inbox.withLock { $0.isAsleep = false }
            for index in 0..<max(0, Int(count)) {
                let socket = events[index].data.fd
                if socket == bell {
                    var rings: eventfd_t = 0
                    eventfd_read(bell, &rings)
                } else {
                    // An earlier event of this round may have closed it.
                    watchers[socket]?(.ready)
                }
            }
            tickIfDue()
        }
    }

    /// Until nothing is left to do, but not for ever: sockets want to be looked at as well.
    private func runJobs() {
        let (serial, task) = (asUnownedSerialExecutor(), asUnownedTaskExecutor())
        for _ in 0..<16 {
            inbox.withLock { inbox in
                jobs += inbox.jobs
                inbox.jobs.removeAll(keepingCapacity: true)
            }
            if jobs.isEmpty { return }
            let batch = jobs
            jobs = []
            for job in batch { job.runSynchronously(isolatedTo: serial, taskExecutor: task) }
        }
    }

    /// Milliseconds that may be waited for an event; the thread counts as asleep if there are any.
    private func timeout() -> Int32 {
        guard jobs.isEmpty else { return 0 }
        let hasJobs = inbox.withLock { inbox in
            inbox.isAsleep = inbox.jobs.isEmpty
            return !inbox.jobs.isEmpty
        }
        if hasJobs { return 0 }
        return watchers.isEmpty ? -1 : Int32(Self.tick / .milliseconds(1))
    }

    private func tickIfDue() {
        let now = ContinuousClock.now
        guard now >= nextTick else { return }
        nextTick = now + Self.tick
        for socket in Array(watchers.keys) { watchers[socket]?(.tick) }
    }
}
