-- For people with psql.

CREATE VIEW shufflenet.jobs_overview AS
    SELECT j.id, j.kind, coalesce(j.name, j.args ->> 'dataset', j.args ->> 'images') AS name, j.state, j.reason,
        CASE WHEN j.state = 'running' THEN round((100 * j.progress)::numeric, 1) END AS percent,
        j.progress_message, j.attempt, j.priority, j.queue,
        CASE WHEN j.state = 'available' AND j.run_at > now() THEN j.run_at END AS not_before,
        date_trunc('second', coalesce(j.finished_at, clock_timestamp()) - coalesce(j.started_at, j.created_at)) AS since,
        w.host, j.output_path, j.error, j.submitted_by, j.created_at
    FROM shufflenet.jobs AS j LEFT JOIN shufflenet.workers AS w ON w.id = j.worker_id AND j.state = 'running'
    ORDER BY j.finished_at IS NOT NULL, j.id DESC;
COMMENT ON VIEW shufflenet.jobs_overview IS 'All jobs, unfinished first, newest first.';

CREATE VIEW shufflenet.jobs_waiting AS
    SELECT row_number() OVER (ORDER BY (j.run_at > now()), j.priority DESC, j.run_at, j.id) AS place,
        j.id, j.queue, j.kind, j.name, j.priority, j.run_at, j.attempt, j.reason AS last_reason, j.submitted_by
    FROM shufflenet.jobs AS j
    WHERE j.state = 'available' AND NOT j.intake_pending AND j.waits_for = 0
        AND j.queue NOT IN (SELECT p.queue FROM shufflenet.paused_queues AS p) ORDER BY place;
COMMENT ON VIEW shufflenet.jobs_waiting IS 'The queue in the order in which it will be claimed; those that wait for their time last.';

CREATE VIEW shufflenet.jobs_running AS
    SELECT j.id, j.kind, j.name, round((100 * j.progress)::numeric, 1) AS percent, j.progress_message,
        date_trunc('second', clock_timestamp() - j.started_at) AS running_for,
        CASE WHEN j.progress > 0.01 THEN date_trunc('second',
            (clock_timestamp() - j.started_at) * ((1 - j.progress) / j.progress)) END AS about_left,
        j.attempt, j.cancel_requested, w.host, w.pid,
        date_trunc('second', clock_timestamp() - w.last_heartbeat) AS last_heartbeat
    FROM shufflenet.jobs AS j LEFT JOIN shufflenet.workers AS w ON w.id = j.worker_id
    WHERE j.state = 'running' ORDER BY j.started_at;
COMMENT ON VIEW shufflenet.jobs_running IS 'What is being worked on, how far it is, and where.';

CREATE VIEW shufflenet.jobs_failures AS
    SELECT j.id, j.kind, j.name, j.state, j.reason, j.error, j.attempt, j.crash_count, j.loss_count, j.log_path,
        (SELECT max(e.at) FROM shufflenet.job_events AS e WHERE e.job_id = j.id) AS at
    FROM shufflenet.jobs AS j WHERE j.state IN ('failed', 'held') ORDER BY at DESC;
COMMENT ON VIEW shufflenet.jobs_failures IS 'Jobs that failed for good or wait for a person, with the log of the last attempt.';

CREATE VIEW shufflenet.schedules_overview AS
    SELECT s.name, s.cron, s.time_zone, s.kind, s.enabled, s.next_fire_at AT TIME ZONE s.time_zone AS next_local_time,
        s.next_fire_at, s.last_fire_at, s.last_job_id, j.state AS last_state, s.catch_up, s.overlap, s.note
    FROM shufflenet.schedules AS s LEFT JOIN shufflenet.jobs AS j ON j.id = s.last_job_id ORDER BY s.name;
COMMENT ON VIEW shufflenet.schedules_overview IS 'Schedules, when they fire next, and what became of the last job.';

CREATE VIEW shufflenet.workers_overview AS
    SELECT w.id, w.host, w.pid, w.slots, count(j.id) AS running, w.started_at,
        date_trunc('second', clock_timestamp() - w.last_heartbeat) AS last_heartbeat, w.version
    FROM shufflenet.workers AS w
    LEFT JOIN shufflenet.jobs AS j ON j.worker_id = w.id AND j.state = 'running'
    WHERE w.retired_at IS NULL GROUP BY w.id ORDER BY w.id;
COMMENT ON VIEW shufflenet.workers_overview IS 'Daemons that are alive, or were until a moment ago.';
