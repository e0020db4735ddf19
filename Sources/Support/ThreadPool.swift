import Glibc
import Synchronization

/// A fixed crew of threads that runs numbered tasks: the calling thread and `threads - 1` of the pool's own.
///
/// Each thread begins with its own share of the tasks, the same at each run of as many, so that it finds in its caches
/// what it left there; who has none left takes from the others. Results stay the same at any thread count because callers cut
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
        let crew = Crew(threads: threads)
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
///
/// Those that are awake meet without the lock: with it, one that has just seen a round begin would run into the caller that
/// still holds it, and be put to sleep for longer than a small task takes. Of each pair "write mine, then read the other's"
/// at least one side sees the other: `round` and `busy`, `round` and `sleepers`, `busy` and `callerSleeps`.
private final class Crew: @unchecked Sendable {
    // Unchecked: `body` and `count` are written while the round is closed and nobody is busy, and read only by threads that
    // made themselves busy and saw the round open after it.

    /// Rounds of waiting before a thread goes to sleep, some fifty microseconds: longer than between two parallel regions
    /// of one image's run, shorter than it takes to be woken again a hundred times.
    private static let spins = 100_000

    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let wake: UnsafeMutablePointer<pthread_cond_t>
    private let done: UnsafeMutablePointer<pthread_cond_t>

    /// Odd while a round is open to threads that have not joined it yet. Written by the caller only.
    private let round = Atomic<Int>(0)
    private let stopping = Atomic<Bool>(false)
    private let shares: TaskShares
    /// Threads in a round, the caller not counted.
    private let busy = Atomic<Int>(0)
    private let sleepers = Atomic<Int>(0)
    private let callerSleeps = Atomic<Bool>(false)

    private var count = 0
    /// In the caller's frame, which outlives the round.
    private var body: UnsafePointer<ThreadPool.Task>?

    init(threads: Int) {
        shares = TaskShares(workers: threads)
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
        stopping.store(true, ordering: .sequentiallyConsistent)
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(lock)
    }

    /// The caller's part: opens a round, works in it, closes it, waits for those that joined.
    func work(_ count: Int, _ body: UnsafePointer<ThreadPool.Task>) {
        self.count = count
        self.body = body
        shares.deal(count)
        round.add(1, ordering: .sequentiallyConsistent)
        if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
            pthread_mutex_lock(lock)
            pthread_cond_broadcast(wake)
            pthread_mutex_unlock(lock)
        }

        drain(count, body, worker: 0)

        round.add(1, ordering: .sequentiallyConsistent)
        var spins = 0
        while busy.load(ordering: .sequentiallyConsistent) > 0 && spins < Self.spins { spins += 1 }
        if spins == Self.spins { sleepUntilDone() }
        self.body = nil
    }

    private func sleepUntilDone() {
        pthread_mutex_lock(lock)
        callerSleeps.store(true, ordering: .sequentiallyConsistent)
        while busy.load(ordering: .sequentiallyConsistent) > 0 { pthread_cond_wait(done, lock) }
        callerSleeps.store(false, ordering: .relaxed)
        pthread_mutex_unlock(lock)
    }

    /// A pool thread's life: wait for a round, join it if it is still open, work, report.
    func serve(as worker: Int) {
        var seen = 0
        while let round = nextRound(after: seen) {
            seen = round
            busy.add(1, ordering: .sequentiallyConsistent)
            if self.round.load(ordering: .sequentiallyConsistent) == round, let body {
                drain(count, body, worker: worker)
            }
            if busy.subtract(1, ordering: .sequentiallyConsistent).newValue == 0,
                callerSleeps.load(ordering: .sequentiallyConsistent)
            {
                pthread_mutex_lock(lock)
                pthread_cond_signal(done)
                pthread_mutex_unlock(lock)
            }
        }
    }

    /// Waits for an open round that is not `seen`: awake at first, then asleep. nil when the pool is given up.
    private func nextRound(after seen: Int) -> Int? {
        func opened() -> Int? {
            let round = self.round.load(ordering: .sequentiallyConsistent)
            return round % 2 == 1 && round != seen ? round : nil
        }
        for _ in 0..<Self.spins {
            if let round = opened() { return round }
            if stopping.load(ordering: .relaxed) { return nil }
        }
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        sleepers.add(1, ordering: .sequentiallyConsistent)
        defer { sleepers.subtract(1, ordering: .relaxed) }
        while !stopping.load(ordering: .relaxed) {
            if let round = opened() { return round }
            pthread_cond_wait(wake, lock)
        }
        return nil
    }

    /// Never inlined: every reference it takes to the closure is given back before it returns, so before `busy` falls.
    @inline(never)
    private func drain(_ count: Int, _ body: UnsafePointer<ThreadPool.Task>, worker: Int) {
        // Read once: each reading counts a reference, in memory that all threads write, and a task can be as short as that
        // takes when two of them share no cache.
        let body = body.pointee
        while let task = shares.next(of: count, for: worker) { body(task, worker) }
    }
}
