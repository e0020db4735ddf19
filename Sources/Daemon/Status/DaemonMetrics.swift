import Foundation
import JobQueue

/// A daemon's figures as metrics, named after Prometheus' conventions.
enum DaemonMetrics {
    static func text(of figures: DaemonFigures) -> String {
        var metrics = MetricsText()
        add(daemon: figures, to: &metrics)
        metrics.add(
            "shufflenetd_database_up", .gauge, "Whether the database answered; if not, there are no figures of jobs.",
            figures.queue == nil ? 0 : 1)
        if let queue = figures.queue { add(queue: queue, to: &metrics) }
        return metrics.text
    }

    private static func add(daemon: DaemonFigures, to metrics: inout MetricsText) {
        metrics.add(
            "shufflenetd_build_info", .gauge, "Version, and the instruction set of the kernels.",
            [([("version", daemon.version), ("instruction_set", daemon.instructionSet)], 1)])
        metrics.add(
            "shufflenetd_written_timestamp_seconds", .gauge, "When these figures were written.",
            daemon.now.timeIntervalSince1970)
        metrics.add(
            "shufflenetd_start_timestamp_seconds", .gauge, "When the daemon was started.",
            daemon.started.timeIntervalSince1970)
        metrics.add("shufflenetd_slots", .gauge, "Jobs that can run at the same time.", Double(daemon.slots))
        metrics.add("shufflenetd_slots_busy", .gauge, "Jobs that hold a slot.", Double(daemon.busySlots))
        metrics.add(
            "shufflenetd_draining", .gauge, "Whether it takes no more jobs, since it is to end.",
            daemon.isDraining ? 1 : 0)
        metrics.add(
            "shufflenetd_heartbeat_age_seconds", .gauge, "Since the last answered heartbeat was sent.",
            daemon.silence / .seconds(1))
        metrics.add(
            "shufflenetd_free_bytes", .gauge, "Free space where the daemon writes.",
            daemon.disks.map { ([("folder", $0.name)], Double($0.freeBytes)) })
        let attempts = daemon.attempts.sorted { $0.key < $1.key }
        metrics.add(
            "shufflenetd_attempts_total", .counter, "Attempts that ended since the start.",
            attempts.map { ([("kind", $0.key.kind), ("outcome", $0.key.outcome)], Double($0.value.attempts)) })
        metrics.add(
            "shufflenetd_attempt_cpu_seconds_total", .counter, "Processor time of the attempts that ended.",
            attempts.map { ([("kind", $0.key.kind), ("outcome", $0.key.outcome)], $0.value.cpuTime / .seconds(1)) })
    }

    private static func add(queue: QueueFigures, to metrics: inout MetricsText) {
        metrics.add(
            "shufflenetd_daemons", .gauge, "Daemons of this database that are not silent.", Double(queue.daemons))
        metrics.add(
            "shufflenetd_jobs", .gauge, "Jobs by queue: due, later (their time has not come), running, held, failed.",
            queue.queues.flatMap { queue in
                [
                    ("due", queue.due), ("later", queue.later), ("running", queue.running), ("held", queue.held),
                    ("failed", queue.failed),
                ].map { ([("queue", queue.name), ("state", $0)], Double($1)) }
            })
        metrics.add(
            "shufflenetd_oldest_due_seconds", .gauge, "For how long the longest waiting job could have run.",
            queue.queues.compactMap { queue in queue.oldestDue.map { ([("queue", queue.name)], $0 / .seconds(1)) } })
        metrics.add(
            "shufflenetd_queue_paused", .gauge, "Whether nothing is claimed from the queue.",
            queue.queues.map { ([("queue", $0.name)], $0.isPaused ? 1 : 0) })
        metrics.add(
            "shufflenetd_queue_unserved", .gauge, "Whether the queue has jobs that no running daemon takes.",
            queue.queues.map { ([("queue", $0.name)], $0.isUnserved ? 1 : 0) })
        metrics.add(
            "shufflenetd_schedule_enabled", .gauge, "Whether the schedule fires.",
            queue.schedules.map { ([("schedule", $0.name)], $0.isEnabled ? 1 : 0) })
        metrics.add(
            "shufflenetd_schedule_next_timestamp_seconds", .gauge, "When the schedule fires next.",
            queue.schedules.compactMap { schedule in
                schedule.next.map { ([("schedule", schedule.name)], $0.timeIntervalSince1970) }
            })
    }
}
