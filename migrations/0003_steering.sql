-- What people do with jobs: keep them back, let them go, stop them, run them again, and have them wait for one another.

CREATE FUNCTION shufflenet.locked_job(wanted bigint) RETURNS shufflenet.jobs
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_job shufflenet.jobs;
BEGIN
    SELECT * INTO found_job FROM shufflenet.jobs AS j WHERE j.id = wanted FOR UPDATE;
    -- Somebody else's job is told of no more than one that is not there.
    IF found_job.id IS NULL OR NOT shufflenet.may_steer(found_job.submitted_by) THEN
        RAISE EXCEPTION USING ERRCODE = 'no_data_found', MESSAGE = format('there is no job %s', wanted),
            HINT = 'List the jobs with SELECT * FROM shufflenet.jobs_overview.';
    END IF;
    RETURN found_job;
END $$;

CREATE FUNCTION shufflenet.cancel(job bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- Locked first: between looking and writing it must not be claimed.
    found_job shufflenet.jobs := shufflenet.locked_job(job);
BEGIN
    CASE found_job.state
    WHEN 'available', 'held' THEN
        UPDATE shufflenet.jobs
            SET state = 'cancelled', reason = 'cancelled', error = NULL, finished_at = clock_timestamp()
            WHERE id = job;
        IF found_job.shards IS NOT NULL THEN PERFORM shufflenet.stop_shards(job); END IF;
        RETURN 'cancelled';
    WHEN 'running' THEN
        UPDATE shufflenet.jobs SET cancel_requested = true WHERE id = job AND NOT cancel_requested;
        RETURN 'cancelling';
    ELSE
        RETURN 'finished';
    END CASE;
END $$;
COMMENT ON FUNCTION shufflenet.cancel IS
    'Cancels a waiting job at once (''cancelled''), asks a running one to stop (''cancelling''), leaves an ended one alone (''finished'').';

CREATE FUNCTION shufflenet.retry(job bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_job shufflenet.jobs := shufflenet.locked_job(job);
BEGIN
    IF found_job.state NOT IN ('failed', 'cancelled', 'held') THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('job %s is %s, wanted failed, cancelled or held', job, found_job.state),
            HINT = 'To run it again with the same args, submit a new job.';
    END IF;
    IF found_job.spool_settled THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('the folder of job %s has been moved out of processing/', job),
            HINT = 'Drop the folder into incoming/ again.';
    END IF;
    PERFORM shufflenet.retry(p.id) FROM shufflenet.jobs AS p
        WHERE p.parent_id = job AND p.state IN ('failed', 'cancelled', 'held');
    UPDATE shufflenet.jobs SET state = 'available', run_at = now(), crash_count = 0, loss_count = 0,
        attempts_before = attempt, cancel_requested = false, finished_at = NULL, progress = 0, progress_message = NULL,
        waits_for = CASE WHEN after IS NULL THEN 0 ELSE shufflenet.count_unfinished(id, after) END
        WHERE id = job;
END $$;
COMMENT ON FUNCTION shufflenet.retry IS 'Puts a failed, cancelled or held job back, its attempts and crashes counted from zero.';

CREATE FUNCTION shufflenet.hold(job bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_job shufflenet.jobs := shufflenet.locked_job(job);
BEGIN
    IF found_job.state <> 'available' THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('job %s is %s, only an available one can be held', job, found_job.state),
            HINT = 'A running job can be cancelled.';
    END IF;
    UPDATE shufflenet.jobs SET state = 'held' WHERE id = job;
END $$;
COMMENT ON FUNCTION shufflenet.hold IS 'Keeps a waiting job back until release() or cancel().';

CREATE FUNCTION shufflenet.release(job bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_job shufflenet.jobs := shufflenet.locked_job(job);
BEGIN
    IF found_job.state <> 'held' THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('job %s is %s, only a held one can be released', job, found_job.state);
    END IF;
    -- What was spent on crashes must not turn into spent attempts.
    UPDATE shufflenet.jobs SET state = 'available', crash_count = 0, loss_count = 0,
        attempts_before = attempts_before + crash_count + loss_count
        WHERE id = job;
END $$;
COMMENT ON FUNCTION shufflenet.release IS 'Lets a held job go; its crashes count from zero.';

CREATE TABLE shufflenet.paused_queues (
    queue     shufflenet.queue_name PRIMARY KEY,
    note      text,
    paused_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    paused_by text NOT NULL DEFAULT session_user
);
COMMENT ON TABLE shufflenet.paused_queues IS 'Queues from which nothing is claimed until resume_queue(); what runs goes on.';

CREATE FUNCTION shufflenet.pause_queue(queue text DEFAULT 'default', note text DEFAULT NULL) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO shufflenet.paused_queues (queue, note) VALUES ($1, $2) ON CONFLICT DO NOTHING
$$;
COMMENT ON FUNCTION shufflenet.pause_queue IS 'Nothing more is claimed from this queue; running jobs go on.';

CREATE FUNCTION shufflenet.resume_queue(queue text DEFAULT 'default') RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH gone AS (DELETE FROM shufflenet.paused_queues AS p WHERE p.queue = $1 RETURNING p.queue),
        told AS MATERIALIZED (SELECT pg_notify('shufflenet_jobs', g.queue) FROM gone AS g)
    SELECT EXISTS (SELECT FROM told)
$$;
COMMENT ON FUNCTION shufflenet.resume_queue IS 'Lets a paused queue go on. False if it was not paused.';

-- Locks the jobs that one waits for, so that none of them ends unseen, and marks them as waited for.
CREATE FUNCTION shufflenet.count_unfinished(waiting bigint, before bigint[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    earlier record;
    unfinished integer := 0;
    found_jobs integer := 0;
BEGIN
    FOR earlier IN SELECT j.id, j.state, j.submitted_by, j.has_dependants FROM shufflenet.jobs AS j
        WHERE j.id = ANY (before) ORDER BY j.id FOR NO KEY UPDATE
    LOOP
        CONTINUE WHEN NOT shufflenet.may_steer(earlier.submitted_by);
        found_jobs := found_jobs + 1;
        IF earlier.state IN ('failed', 'cancelled') THEN
            RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
                MESSAGE = format('job %s, which is to be waited for, is %s', earlier.id, earlier.state),
                HINT = format('First run it again with shufflenet.retry(%s).', earlier.id);
        END IF;
        IF earlier.state <> 'completed' THEN
            unfinished := unfinished + 1;
            IF NOT earlier.has_dependants THEN
                UPDATE shufflenet.jobs SET has_dependants = true WHERE id = earlier.id;
            END IF;
        END IF;
    END LOOP;
    IF found_jobs < (SELECT count(DISTINCT b) FROM unnest(before) AS b) AND NOT EXISTS (
        SELECT FROM shufflenet.jobs AS j WHERE j.id = waiting) THEN
        RAISE EXCEPTION USING ERRCODE = 'no_data_found',
            MESSAGE = format('there are not all of the jobs %s, which are to be waited for', before),
            HINT = 'List the jobs with SELECT * FROM shufflenet.jobs_overview.';
    END IF;
    RETURN unfinished;
END $$;
COMMENT ON FUNCTION shufflenet.count_unfinished IS 'How many of these jobs have not completed; used where a job begins to wait for them.';

-- After a change of a job that others wait for, or that shares its concurrency key with others.
CREATE FUNCTION shufflenet.wake_others(before shufflenet.jobs, job shufflenet.jobs) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    waiting shufflenet.jobs;
BEGIN
    IF before.state = 'running' AND job.state <> 'running' AND job.concurrency_key IS NOT NULL THEN
        PERFORM pg_notify('shufflenet_jobs', job.queue);
    END IF;
    IF before.state = job.state OR job.state NOT IN ('completed', 'failed', 'cancelled') OR NOT job.has_dependants THEN
        RETURN;
    END IF;
    FOR waiting IN SELECT * FROM shufflenet.jobs AS j
        WHERE j.after @> ARRAY[job.id] AND j.waits_for > 0 AND j.state IN ('available', 'held')
        ORDER BY j.id FOR NO KEY UPDATE
    LOOP
        IF job.state = 'completed' THEN
            UPDATE shufflenet.jobs SET waits_for = waits_for - 1 WHERE id = waiting.id;
        ELSIF waiting.id = job.parent_id THEN
            UPDATE shufflenet.jobs SET state = job.state, reason = job.reason, finished_at = clock_timestamp(),
                error = format('shard %s of %s (job %s) is %s%s', job.shard, job.shards, job.id, job.state,
                    ': ' || job.error)
                WHERE id = waiting.id;
            -- What the other shards would still find out is of no use to anybody.
            PERFORM shufflenet.stop_shards(job.parent_id);
        ELSE
            UPDATE shufflenet.jobs SET state = 'cancelled', reason = 'cancelled', finished_at = clock_timestamp(),
                error = format('job %s, which it waited for, is %s', job.id, job.state)
                WHERE id = waiting.id;
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION shufflenet.wake_others IS 'Lets jobs go that waited for this one, or ends them with it.';

CREATE FUNCTION shufflenet.stop_shards(parent bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE shufflenet.jobs SET state = 'cancelled', reason = 'cancelled', finished_at = clock_timestamp()
        WHERE parent_id = $1 AND state IN ('available', 'held');
    UPDATE shufflenet.jobs SET cancel_requested = true WHERE parent_id = $1 AND state = 'running' AND NOT cancel_requested;
$$;

-- A job with shards becomes an array: a job a part, any daemon's to take, and itself, which waits for all of them.
CREATE FUNCTION shufflenet.make_shards() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parts bigint[];
BEGIN
    WITH made AS (
        INSERT INTO shufflenet.jobs (kind, args, name, queue, priority, run_at, max_attempts, timeout, cores,
            memory_limit, has_dependants, after, parent_id, shard, shards, submitted_by)
        SELECT NEW.kind, NEW.args - 'shards',
            left(coalesce(NEW.name, NEW.args ->> 'images'), 230) || format(' (%s of %s)', n, NEW.shards),
            NEW.queue, NEW.priority, NEW.run_at, NEW.max_attempts, NEW.timeout, NEW.cores, NEW.memory_limit, true,
            NEW.after, NEW.id, n, NEW.shards, NEW.submitted_by
        FROM generate_series(1, NEW.shards) AS n
        RETURNING id
    )
    SELECT array_agg(id) INTO parts FROM made;
    UPDATE shufflenet.jobs SET after = coalesce(NEW.after, '{}') || parts WHERE id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_shards AFTER INSERT ON shufflenet.jobs
    FOR EACH ROW WHEN (NEW.shards IS NOT NULL AND NEW.parent_id IS NULL) EXECUTE FUNCTION shufflenet.make_shards();
