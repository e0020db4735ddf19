import Glibc
import Synchronization

/// A fixed crew of threads that runs numbered tasks: the calling thread and `threads - 1` of the pool's own.
///
/// Which thread runs which task is left to chance; results stay the same at any thread count because callers cut
/// their work into tasks by its shape alone and let no two tasks write the same memory. One `run` at a time: a second
/// caller waits. Tasks must not call `run` of the same pool.
public final class ThreadPool: Sendable {
    public typealias Task = (_ task: Int, _ worker: Int) -> Void

    /// Threads that take part, the caller's included. Worker numbers handed to tasks lie in `0 ..< threads`.
    public let threads: Int

    private let crew: Crew
    private let turn = Mutex(())
    // pthread_t is an integer on Linux.
    private let handles: [pthread_t]

    /// Starts the pool's own threads. Fewer are used when the system refuses one.
    public init(threads: Int) {
        precondition(threads >= 1, "a thread pool needs at least one thread, not \(threads)")
        let crew = Crew()
        var handles: [pthread_t] = []
        for worker in 1..<max(threads, 1) {
            let member = Unmanaged.passRetained(Member(crew: crew, worker: worker))
            var handle = pthread_t()
            let code = pthread_create(
                &handle, nil,
                { argument in
                    let member = Unmanaged<Member>.fromOpaque(argument!).takeRetainedValue()
                    member.crew.serve(as: member.worker)
                    return nil
                }, member.toOpaque())
            guard code == 0 else {
                member.release()
                break
            }
            handles.append(handle)
        }
        self.crew = crew
        self.handles = handles
        self.threads = handles.count + 1
    }

    deinit {
        crew.dismiss()
        for handle in handles { pthread_join(handle, nil) }
    }

    /// Runs `body(task, worker)` once for every task in `0 ..< count` and returns when all are done.
    ///
    /// With several threads the language boxes the closure (32 bytes) to hand it across; it is given back on return.
    /// Nothing else is allocated.
    public func run(_ count: Int, _ body: Task) {
        if count <= 0 { return }
        turn.withLock { _ in
            if handles.isEmpty || count == 1 {
                for task in 0..<count { body(task, 0) }
                return
            }
            withoutActuallyEscaping(body) { body in
                withUnsafePointer(to: body) { crew.work(count, $0) }
            }
        }
    }
}

/// What one pool thread is told when it starts.
private final class Member: Sendable {
    let crew: Crew
    let worker: Int

    init(crew: Crew, worker: Int) {
        self.crew = crew
        self.worker = worker
    }
}

/// The state shared by a pool's threads.
private final class Crew: @unchecked Sendable {
    // Unchecked: `body` and `count` are written under `lock` before `round` is raised and read only by threads that
    // saw the new round; `finished` returns to zero outstanding before they are written again.

    /// Rounds of waiting before a thread goes to sleep, some fifty microseconds: longer than between two parallel regions
    /// of one image's run, shorter than it takes to be woken again a hundred times.
    private static let spins = 100_000

    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let wake: UnsafeMutablePointer<pthread_cond_t>
    private let done: UnsafeMutablePointer<pthread_cond_t>

    private let round = Atomic<Int>(0)
    private let stopping = Atomic<Bool>(false)
    private let nextTask = Atomic<Int>(0)
    private let busy = Atomic<Int>(0)

    private var count = 0
    /// In the caller's frame, which outlives the round.
    private var body: UnsafePointer<ThreadPool.Task>?
    /// Guarded by `lock`: the round is open to threads that have not joined it yet.
    private var isOpen = false

    init() {
        lock = .allocate(capacity: 1)
        wake = .allocate(capacity: 1)
        done = .allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
        pthread_cond_init(wake, nil)
        pthread_cond_init(done, nil)
    }

    deinit {
        pthread_cond_destroy(wake)
        pthread_cond_destroy(done)
        pthread_mutex_destroy(lock)
        wake.deallocate()
        done.deallocate()
        lock.deallocate()
    }

    func dismiss() {
        pthread_mutex_lock(lock)
        stopping.store(true, ordering: .releasing)
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(lock)
    }

    /// The caller's part: opens a round, works in it, waits for those that joined.
    func work(_ count: Int, _ body: UnsafePointer<ThreadPool.Task>) {
        pthread_mutex_lock(lock)
        self.count = count
        self.body = body
        isOpen = true
        nextTask.store(0, ordering: .relaxed)
        round.add(1, ordering: .releasing)
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(lock)

        drain(count, body, worker: 0)

        var spins = 0
        while busy.load(ordering: .acquiring) > 0 && spins < Self.spins { spins += 1 }
        pthread_mutex_lock(lock)
        isOpen = false
        while busy.load(ordering: .acquiring) > 0 { pthread_cond_wait(done, lock) }
        self.body = nil
        pthread_mutex_unlock(lock)
    }

    /// A pool thread's life: wait for a round, join it if it is still open, work, report.
    func serve(as worker: Int) {
        var seen = 0
        while true {
            var spins = 0
            while round.load(ordering: .acquiring) == seen && spins < Self.spins
                && !stopping.load(ordering: .relaxed)
            {
                spins += 1
            }
            pthread_mutex_lock(lock)
            while round.load(ordering: .acquiring) == seen && !stopping.load(ordering: .relaxed) {
                pthread_cond_wait(wake, lock)
            }
            if stopping.load(ordering: .relaxed) {
                pthread_mutex_unlock(lock)
                return
            }
            seen = round.load(ordering: .relaxed)
            guard isOpen, let body else {
                pthread_mutex_unlock(lock)
                continue
            }
            let count = self.count
            busy.add(1, ordering: .relaxed)
            pthread_mutex_unlock(lock)

            drain(count, body, worker: worker)

            // Under the lock, so that the caller cannot miss the signal between its test and its wait.
            pthread_mutex_lock(lock)
            busy.subtract(1, ordering: .releasing)
            pthread_cond_signal(done)
            pthread_mutex_unlock(lock)
        }
    }

    /// Never inlined: every reference it takes to the closure is given back before it returns, so before `busy` falls.
    @inline(never)
    private func drain(_ count: Int, _ body: UnsafePointer<ThreadPool.Task>, worker: Int) {
        while true {
            let task = nextTask.add(1, ordering: .relaxed).oldValue
            if task >= count { return }
            body.pointee(task, worker)
        }
    }
}
