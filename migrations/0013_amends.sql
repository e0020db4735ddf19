-- What people and daemons ran into: schedules that could not be switched off and on and forgot what was not said again, jobs
-- with shards whose parts went their own ways, rows that were accepted here and refused or unreadable later.

-- NULL keeps what an existing schedule has. In one statement with what is there, because the checks of a new row come
-- before it is known that there is one already.
CREATE OR REPLACE FUNCTION shufflenet.schedule(
    name text, cron text, kind text, args jsonb DEFAULT NULL, time_zone text DEFAULT NULL,
    catch_up text DEFAULT NULL, overlap text DEFAULT NULL, enabled boolean DEFAULT NULL,
    queue text DEFAULT NULL, priority integer DEFAULT NULL, timeout interval DEFAULT NULL
) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO shufflenet.schedules AS s
        (name, cron, kind, args, time_zone, catch_up, overlap, enabled, queue, priority, timeout)
    SELECT $1, $2, $3, coalesce($4, o.args, '{}'), coalesce($5, o.time_zone, 'UTC'), coalesce($6, o.catch_up, 'skip'),
        coalesce($7, o.overlap, 'forbid'), coalesce($8, o.enabled, true), coalesce($9, o.queue, 'default'),
        coalesce($10, o.priority, 0), nullif(coalesce($11, o.timeout), interval '0')
    FROM (VALUES ($1)) AS n (name) LEFT JOIN shufflenet.schedules AS o ON o.name = n.name
    ON CONFLICT (name) DO UPDATE SET
        cron = excluded.cron, kind = excluded.kind, args = excluded.args, time_zone = excluded.time_zone,
        catch_up = excluded.catch_up, overlap = excluded.overlap, enabled = excluded.enabled,
        queue = excluded.queue, priority = excluded.priority, timeout = excluded.timeout
$$;
COMMENT ON FUNCTION shufflenet.schedule IS
    'Makes a schedule or changes the one of this name, which keeps what is not given; a timeout of 0 takes it away.';

CREATE FUNCTION shufflenet.pause_schedule(name text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH changed AS (UPDATE shufflenet.schedules AS s SET enabled = false WHERE s.name = $1 RETURNING 1)
    SELECT EXISTS (SELECT FROM changed)
$$;
COMMENT ON FUNCTION shufflenet.pause_schedule IS
    'Switches a schedule off until resume_schedule(); jobs it has made go on. False if there is none of this name.';

CREATE FUNCTION shufflenet.resume_schedule(name text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH changed AS (UPDATE shufflenet.schedules AS s SET enabled = true WHERE s.name = $1 RETURNING 1)
    SELECT EXISTS (SELECT FROM changed)
$$;
COMMENT ON FUNCTION shufflenet.resume_schedule IS
    'Switches a schedule on, from now on: also one that was given up. False if there is none of this name.';

-- The database's zone files have more names than the calendar of the daemons: a second tree of the same zones, and what
-- the database's own host calls local time, which another host's may not be.
CREATE OR REPLACE FUNCTION shufflenet.check_schedule() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    mistake text := shufflenet.cron_mistake(NEW.cron);
BEGIN
    PERFORM shufflenet.check_arguments(NEW.kind, NEW.args, false);
    IF mistake IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'schedules_cron',
            MESSAGE = format('cron is %L: %s', NEW.cron, mistake),
            HINT = 'minute hour day-of-month month day-of-week, for instance ''30 2 * * *'' for every night at half past two.';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_timezone_names AS z WHERE z.name = NEW.time_zone) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'schedules_time_zone',
            MESSAGE = format('unknown time zone %L', NEW.time_zone),
            HINT = 'Use an IANA name such as UTC or Europe/Berlin; they stand in pg_timezone_names.';
    END IF;
    IF NEW.time_zone LIKE 'posix/%' OR NEW.time_zone IN ('localtime', 'posixrules') THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'schedules_time_zone',
            MESSAGE = format('time zone %L is not known to the daemons, only to the database', NEW.time_zone),
            HINT = format('Use an IANA name such as %s.', CASE WHEN NEW.time_zone LIKE 'posix/%'
                THEN substr(NEW.time_zone, 7) ELSE 'UTC or Europe/Berlin' END);
    END IF;
    IF TG_OP = 'INSERT' OR NEW.cron <> OLD.cron OR NEW.time_zone <> OLD.time_zone
        OR (NEW.enabled AND NOT OLD.enabled) OR OLD.next_fire_at = 'infinity' THEN
        NEW.anchor_at := clock_timestamp();
        NEW.next_fire_at := NULL;
        NEW.note := NULL;
    END IF;
    RETURN NEW;
END $$;
COMMENT ON COLUMN shufflenet.schedules.next_fire_at IS
    'Worked out by a daemon; NULL until one has looked, infinity where it was given up (see note) until it is changed or resumed.';

-- A concurrency key is that of a whole job with shards: its parts may run beside one another, and beside nobody else. They
-- have the key now, so that claims find them by it; what they may not share they still can't, by the index's second column.
DROP INDEX shufflenet.jobs_concurrency_key;
CREATE UNIQUE INDEX jobs_concurrency_key ON shufflenet.jobs (concurrency_key, coalesce(shard, 0))
    WHERE concurrency_key IS NOT NULL AND state = 'running';
COMMENT ON COLUMN shufflenet.jobs.concurrency_key IS
    'At most one job with a key runs at a time, on all daemons together; the others wait. The shards of a job are one job.';

-- Rows and not advisory locks, which anybody could take and keep.
CREATE TABLE shufflenet.key_turns (
    turn integer PRIMARY KEY
);
COMMENT ON TABLE shufflenet.key_turns IS
    'Locked by claims of jobs with a concurrency key, each by its key''s hash, so that two decide about one key in turn.';
INSERT INTO shufflenet.key_turns SELECT generate_series(0, 63);

-- Of a claim's statement, for a job with a key alone. Whoever comes second waits for the claim before and then, in a
-- statement of its own, sees what became of it. By the index's name, so that a claimer looks again as when that refuses it.
CREATE FUNCTION shufflenet.take_key(key text, whole bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM shufflenet.key_turns AS t WHERE t.turn = hashtext(key) & 63 FOR UPDATE;
    IF EXISTS (SELECT FROM shufflenet.jobs AS r
        WHERE r.concurrency_key = key AND r.state = 'running' AND coalesce(r.parent_id, r.id) <> whole) THEN
        RAISE EXCEPTION USING ERRCODE = 'unique_violation', CONSTRAINT = 'jobs_concurrency_key',
            MESSAGE = format('a job with concurrency_key %L runs', key), HINT = 'It is claimed when that one has ended.';
    END IF;
    RETURN true;
END $$;
COMMENT ON FUNCTION shufflenet.take_key IS
    'Lets no two claims decide about a key at the same time; raises an error if another whole job with it runs.';

CREATE OR REPLACE FUNCTION shufflenet.make_shards() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parts bigint[];
BEGIN
    WITH made AS (
        INSERT INTO shufflenet.jobs (kind, args, name, queue, priority, run_at, max_attempts, timeout, cores,
            memory_limit, concurrency_key, has_dependants, after, parent_id, shard, shards, submitted_by)
        SELECT NEW.kind, NEW.args - 'shards',
            left(coalesce(NEW.name, NEW.args ->> 'images'), 230) || format(' (%s of %s)', n, NEW.shards),
            NEW.queue, NEW.priority, NEW.run_at, NEW.max_attempts, NEW.timeout, NEW.cores, NEW.memory_limit,
            NEW.concurrency_key, true, NEW.after, NEW.id, n, NEW.shards, NEW.submitted_by
        FROM generate_series(1, NEW.shards) AS n
        RETURNING id
    )
    SELECT array_agg(id) INTO parts FROM made;
    UPDATE shufflenet.jobs SET after = coalesce(NEW.after, '{}') || parts WHERE id = NEW.id;
    RETURN NULL;
END $$;

-- Only what waits, and without the checks of a new row: parts that run have been beside others already.
ALTER TABLE shufflenet.jobs DISABLE TRIGGER jobs_check;
UPDATE shufflenet.jobs AS p SET concurrency_key = w.concurrency_key FROM shufflenet.jobs AS w
    WHERE w.id = p.parent_id AND w.concurrency_key IS NOT NULL AND p.state IN ('available', 'held');
ALTER TABLE shufflenet.jobs ENABLE TRIGGER jobs_check;

-- A job with shards is kept back and let go with its parts, also those that come back from a daemon meanwhile.
CREATE OR REPLACE FUNCTION shufflenet.hold(job bigint) RETURNS void
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
    IF found_job.shards IS NOT NULL THEN
        UPDATE shufflenet.jobs AS p SET state = 'held'
            WHERE p.id = ANY (found_job.after) AND p.parent_id = job AND p.state = 'available';
    END IF;
END $$;
COMMENT ON FUNCTION shufflenet.hold IS
    'Keeps a waiting job back until release() or cancel(), and its waiting shards with it; those that run go on.';

CREATE OR REPLACE FUNCTION shufflenet.release(job bigint) RETURNS void
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
        WHERE id = job OR (id = ANY (found_job.after) AND parent_id = job AND state = 'held');
END $$;
COMMENT ON FUNCTION shufflenet.release IS 'Lets a held job go, and its held shards; their crashes count from zero.';

CREATE OR REPLACE FUNCTION shufflenet.wake_others(before shufflenet.jobs, job shufflenet.jobs) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    waiting shufflenet.jobs;
    ended shufflenet.jobs := job;
    ends bigint[] := '{}';
    whole shufflenet.job_state;
BEGIN
    IF before.state = 'running' AND job.state <> 'running' AND job.concurrency_key IS NOT NULL THEN
        PERFORM pg_notify('shufflenet_jobs', job.queue);
    END IF;
    IF before.state = 'running' AND job.state = 'available' AND job.parent_id IS NOT NULL THEN
        -- Locked before it is looked at, so that a hold() of this moment is seen, or sees this.
        SELECT w.state INTO whole FROM shufflenet.jobs AS w WHERE w.id = job.parent_id FOR KEY SHARE;
        IF whole = 'held' THEN
            UPDATE shufflenet.jobs SET state = 'held' WHERE id = job.id;
        END IF;
        RETURN;
    END IF;
    IF before.state = job.state OR job.state NOT IN ('completed', 'failed', 'cancelled') OR NOT job.has_dependants THEN
        RETURN;
    END IF;
    IF job.state = 'completed' THEN
        FOR waiting IN SELECT * FROM shufflenet.jobs AS j
            WHERE j.after @> ARRAY[job.id] AND j.waits_for > 0 AND j.state IN ('available', 'held')
            ORDER BY j.id FOR NO KEY UPDATE
        LOOP
            UPDATE shufflenet.jobs SET waits_for = waits_for - 1 WHERE id = waiting.id;
        END LOOP;
        RETURN;
    END IF;
    -- The call for the first job of the chain looks after all.
    IF current_setting('shufflenet.ends_a_chain', true) = 'yes' THEN
        RETURN;
    END IF;
    PERFORM set_config('shufflenet.ends_a_chain', 'yes', true);
    LOOP
        FOR waiting IN SELECT * FROM shufflenet.jobs AS j
            WHERE j.after @> ARRAY[ended.id] AND j.waits_for > 0 AND j.state IN ('available', 'held')
            ORDER BY j.id FOR NO KEY UPDATE
        LOOP
            IF waiting.id = ended.parent_id THEN
                UPDATE shufflenet.jobs SET state = ended.state, reason = ended.reason, finished_at = clock_timestamp(),
                    error = format('shard %s of %s (job %s) is %s%s', ended.shard, ended.shards, ended.id, ended.state,
                        ': ' || ended.error)
                    WHERE id = waiting.id;
                -- What the other shards would still find out is of no use to anybody.
                PERFORM shufflenet.stop_shards(ended.parent_id);
                ends := ends || ARRAY(SELECT s.id FROM shufflenet.jobs AS s
                    WHERE s.parent_id = waiting.id AND s.id <> ended.id AND s.state = 'cancelled' AND s.has_dependants);
            ELSE
                UPDATE shufflenet.jobs SET state = 'cancelled', reason = 'cancelled', finished_at = clock_timestamp(),
                    error = format('job %s, which it waited for, is %s', ended.id, ended.state)
                    WHERE id = waiting.id;
            END IF;
            IF waiting.has_dependants THEN
                ends := ends || waiting.id;
            END IF;
        END LOOP;
        EXIT WHEN ends = '{}';
        SELECT * INTO ended FROM shufflenet.jobs AS j WHERE j.id = ends[1];
        ends := ends[2:];
    END LOOP;
    PERFORM set_config('shufflenet.ends_a_chain', '', true);
END $$;

-- To begin anew is to begin all shards anew: some of before and some of now would not be put together.
CREATE OR REPLACE FUNCTION shufflenet.retry(job bigint) RETURNS void
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
    IF EXISTS (SELECT FROM shufflenet.jobs AS p
        WHERE p.id = ANY (found_job.after) AND p.parent_id = job AND p.state = 'running' AND p.cancel_requested) THEN
        -- They will end cancelled, and the job with them.
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('shards of job %s are still stopping', job),
            HINT = 'Try again in a moment.';
    END IF;
    IF found_job.shards IS NOT NULL AND found_job.state <> 'held' THEN
        -- What a part found may be that of a model or a folder which is another by now.
        UPDATE shufflenet.jobs AS p SET state = 'available', run_at = now(), crash_count = 0, loss_count = 0,
            attempts_before = p.attempt, cancel_requested = false, finished_at = NULL, progress = 0,
            progress_message = NULL, result = NULL, output_path = NULL
            WHERE p.id = ANY (found_job.after) AND p.parent_id = job AND p.state = 'completed';
    END IF;
    PERFORM shufflenet.retry(p.id) FROM shufflenet.jobs AS p
        WHERE p.id = ANY (found_job.after) AND p.parent_id = job AND p.state IN ('failed', 'cancelled', 'held');
    UPDATE shufflenet.jobs SET state = 'available', run_at = now(), crash_count = 0, loss_count = 0,
        attempts_before = attempt, cancel_requested = false, finished_at = NULL, progress = 0, progress_message = NULL,
        waits_for = CASE WHEN after IS NULL THEN 0 ELSE shufflenet.count_unfinished(id, after) END
        WHERE id = job;
END $$;
COMMENT ON FUNCTION shufflenet.retry IS
    'Puts a failed, cancelled or held job back, its attempts and crashes counted from zero; unless it was held, all its shards too.';

-- A time that nobody can read, or that never comes, hid all jobs from whoever listed them. Not in check_job: ends and
-- retries set run_at too, and must not fail for what else a row has from before there was a check of it.
CREATE FUNCTION shufflenet.check_run_at() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.run_at IS NULL OR NEW.run_at NOT BETWEEN now() - interval '10 years' AND now() + interval '10 years' THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_run_at_is_a_time',
            MESSAGE = format('run_at of job %s is %s, wanted a time within ten years of now', NEW.id,
                coalesce(NEW.run_at::text, 'NULL')),
            HINT = format('To keep a job back without a time, call shufflenet.hold(%s).', NEW.id);
    END IF;
    RETURN NEW;
END $$;
-- What had such a time waited for a person, or was due.
UPDATE shufflenet.jobs SET state = 'held' WHERE run_at = 'infinity' AND state = 'available';
UPDATE shufflenet.jobs SET run_at = created_at WHERE NOT isfinite(run_at);
CREATE TRIGGER jobs_run_at_check BEFORE UPDATE OF run_at ON shufflenet.jobs
    FOR EACH ROW WHEN (NEW.run_at IS DISTINCT FROM OLD.run_at) EXECUTE FUNCTION shufflenet.check_run_at();

-- The run takes names of up to 128 characters; a longer one was accepted here and failed when the job started.
CREATE OR REPLACE FUNCTION shufflenet.check_arguments(wanted_kind text, wanted jsonb, dropped boolean) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known text;
    found text;
BEGIN
    IF wanted_kind IS NULL OR wanted_kind NOT IN ('train', 'evaluate', 'classify') THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_kind_known',
            MESSAGE = format('unknown job kind %L', wanted_kind),
            HINT = 'Use train, evaluate or classify.';
    END IF;
    IF wanted IS NULL OR jsonb_typeof(wanted) <> 'object' THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_args_is_an_object',
            MESSAGE = format('args of kind %s is %s, wanted an object', wanted_kind,
                coalesce('a JSON ' || jsonb_typeof(wanted), 'NULL')),
            HINT = 'Write it as {"key": value, …}, for instance {"dataset": "flowers", "epochs": 2}.';
    END IF;
    IF pg_column_size(wanted) > 65536 THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_args_size',
            MESSAGE = format('args of kind %s takes %s bytes, at most 65536 are allowed', wanted_kind, pg_column_size(wanted)),
            HINT = 'Name things under the daemon''s folders instead of listing them.';
    END IF;
    SELECT string_agg(a.name, ', ' ORDER BY a.name) INTO known
        FROM shufflenet.job_arguments AS a WHERE a.kind = wanted_kind;
    SELECT string_agg(quote_literal(k), ', ' ORDER BY k) INTO found
        FROM jsonb_object_keys(wanted) AS k
        WHERE NOT EXISTS (SELECT FROM shufflenet.job_arguments AS a WHERE a.kind = wanted_kind AND a.name = k);
    IF found IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_args_known',
            MESSAGE = format('unknown key in args of kind %s: %s', wanted_kind, found),
            HINT = format('Known keys: %s.', known);
    END IF;
    SELECT string_agg(quote_literal(a.name), ', ' ORDER BY a.name) INTO found
        FROM shufflenet.job_arguments AS a
        WHERE a.kind = wanted_kind AND a.required AND NOT wanted ? a.name;
    IF found IS NOT NULL AND NOT dropped THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_args_complete',
            MESSAGE = format('args of kind %s lacks %s', wanted_kind, found),
            HINT = format('Known keys: %s. See table shufflenet.job_arguments.', known);
    END IF;
    SELECT string_agg(format('%L is not a name, found %s', a.name, left((wanted -> a.name)::text, 80)), '; '
            ORDER BY a.name) INTO found
        FROM shufflenet.job_arguments AS a
        WHERE a.kind = wanted_kind AND a.is_name AND wanted ? a.name AND wanted -> a.name <> 'null'
            AND (jsonb_typeof(wanted -> a.name) <> 'string'
                OR wanted ->> a.name !~ '^[A-Za-z0-9][A-Za-z0-9._-]*$' OR length(wanted ->> a.name) > 128);
    IF found IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_args_names',
            MESSAGE = format('args of kind %s: %s', wanted_kind, found),
            HINT = 'Give the name of something under the daemon''s folders: at most 128 letters, digits, ''.'', ''_'' and ''-'', beginning with a letter or a digit; never a path. A name of digits alone stands in quotes: "2024".';
    END IF;
    IF wanted ? 'shards' AND (dropped OR coalesce(wanted ->> 'shards', 'null') !~ '^[0-9]{1,4}$'
        OR (wanted ->> 'shards')::integer NOT BETWEEN 2 AND 1000) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_shards',
            MESSAGE = format('args of kind %s: shards is %s, wanted a whole number from 2 to 1000', wanted_kind,
                CASE WHEN dropped THEN 'given for a dropped folder' ELSE (wanted -> 'shards')::text END),
            HINT = 'Only a folder under datasets/, on a storage that all daemons share, can be divided.';
    END IF;
END $$;

-- A dropped folder is called what it is called, also where that takes many characters to write.
CREATE OR REPLACE FUNCTION shufflenet.check_job() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    longest integer;
BEGIN
    PERFORM shufflenet.check_arguments(NEW.kind, NEW.args, NEW.intake_pending OR NEW.spool_folder IS NOT NULL);
    NEW.priority := coalesce(NEW.priority, 0);
    IF NEW.priority NOT BETWEEN -100 AND 100 THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_priority_in_range',
            MESSAGE = format('priority is %s, wanted -100 to 100', NEW.priority),
            HINT = 'Higher goes first; 0 is usual.';
    END IF;
    -- A label may become part of a folder's name, so it must not lead anywhere. Each of the 255 bytes that a dropped
    -- folder's name has at most may be written as %XX.
    longest := CASE WHEN left(NEW.unique_key, 6) = 'spool:' THEN 800 ELSE 255 END;
    IF NEW.name ~ '[/[:cntrl:]]' OR NEW.name IN ('', '.', '..') OR length(NEW.name) > longest THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_name_is_a_label',
            MESSAGE = 'name is not a label: it is empty, too long, or has a slash or a control character in it',
            HINT = format('Use up to %s characters without slashes.', longest);
    END IF;
    -- Longer ones do not fit into an index: one as concurrency_key would fail every claim that meets it.
    IF octet_length(NEW.unique_key) > 2000 OR octet_length(NEW.concurrency_key) > 2000 THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_keys_are_short',
            MESSAGE = format('unique_key has %s bytes, concurrency_key %s; wanted 2000 at the most',
                coalesce(octet_length(NEW.unique_key), 0), coalesce(octet_length(NEW.concurrency_key), 0)),
            HINT = 'Use a hash of the long text, for instance md5(text).';
    END IF;
    IF NEW.timeout > interval '10 years' THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_timeout_in_range',
            MESSAGE = format('timeout is %s, wanted ten years at the most', NEW.timeout),
            HINT = 'Leave it out for none.';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        RETURN NEW;
    END IF;
    IF NEW.state <> 'available' OR NEW.lease_token IS NOT NULL OR NEW.worker_id IS NOT NULL OR NEW.attempt <> 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_begins_available',
            MESSAGE = format('a new job has state %L, attempt %s; wanted ''available'' and 0', NEW.state, NEW.attempt),
            HINT = 'Leave state, attempt, lease_token and worker_id to the daemon.';
    END IF;
    IF left(NEW.unique_key, 6) = 'spool:' AND NOT NEW.intake_pending THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_spool_key_is_a_folder',
            MESSAGE = 'a unique_key that begins with spool: belongs to a dropped folder',
            HINT = 'Choose another key.';
    END IF;
    NEW.run_at := coalesce(NEW.run_at, now());
    IF NOT isfinite(NEW.run_at) OR NEW.run_at NOT BETWEEN now() - interval '10 years' AND now() + interval '10 years' THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_run_at_is_a_time',
            MESSAGE = format('run_at is %s, wanted a time within ten years of now', NEW.run_at),
            HINT = 'To keep a job back without a time, submit it and call shufflenet.hold(id).';
    END IF;
    NEW.waits_for := 0;
    IF NEW.after IS NOT NULL THEN
        NEW.waits_for := shufflenet.count_unfinished(NEW.id, NEW.after);
    END IF;
    IF NEW.args ? 'shards' THEN
        -- The parts are made when this row is in place; it waits for them.
        NEW.shards := (NEW.args ->> 'shards')::integer;
        NEW.waits_for := NEW.waits_for + NEW.shards;
    END IF;
    RETURN NEW;
END $$;

-- How long a silence means death is each daemon's own setting, so it stands where all that judge it can read it.
ALTER TABLE shufflenet.workers ADD COLUMN dead_after interval NOT NULL DEFAULT '30 seconds';
COMMENT ON COLUMN shufflenet.workers.dead_after IS
    'The silence after which anybody may take the worker''s jobs; its configuration''s queue.dead.';
COMMENT ON COLUMN shufflenet.workers.last_heartbeat IS
    'By this database''s clock; after dead_after of silence anybody may take the worker''s jobs.';

CREATE OR REPLACE VIEW shufflenet.live_workers WITH (security_invoker = true) AS
    SELECT w.id, w.host, w.queues FROM shufflenet.workers AS w
    WHERE w.retired_at IS NULL AND w.last_heartbeat > clock_timestamp() - w.dead_after;
COMMENT ON VIEW shufflenet.live_workers IS 'Daemons that have not been silent for so long that they count as dead.';

CREATE OR REPLACE FUNCTION shufflenet.grant_rights() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $rights$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['shufflenet_owner', 'shufflenet_worker', 'shufflenet_operator',
        'shufflenet_submitter', 'shufflenet_viewer']
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
            EXCEPTION
                -- Another database of this server was faster.
                WHEN duplicate_object OR unique_violation THEN NULL;
                WHEN insufficient_privilege THEN
                    RAISE NOTICE 'could not make role %; see shufflenetd doctor', role_name;
                    RETURN;
            END;
        END IF;
    END LOOP;

    REVOKE ALL ON ALL FUNCTIONS IN SCHEMA shufflenet FROM PUBLIC;
    GRANT USAGE ON SCHEMA shufflenet TO shufflenet_owner, shufflenet_worker, shufflenet_operator, shufflenet_submitter,
        shufflenet_viewer;

    GRANT ALL ON ALL TABLES IN SCHEMA shufflenet TO shufflenet_owner;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA shufflenet TO shufflenet_worker;
    REVOKE INSERT, UPDATE, DELETE ON shufflenet.schema_migrations FROM shufflenet_worker;
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA shufflenet TO shufflenet_owner, shufflenet_worker;
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA shufflenet TO shufflenet_owner, shufflenet_worker;

    -- Reading; of jobs, events and attempts only the rows that the policies below let through.
    GRANT SELECT ON ALL TABLES IN SCHEMA shufflenet TO shufflenet_operator, shufflenet_submitter, shufflenet_viewer;
    REVOKE SELECT ON shufflenet.schedules, shufflenet.schedules_overview, shufflenet.open_folders FROM shufflenet_submitter;
    GRANT EXECUTE ON FUNCTION shufflenet.may_steer, shufflenet.implied_events TO shufflenet_operator, shufflenet_submitter, shufflenet_viewer;

    -- A job's state, token, counts, submitter and folders are not among the columns.
    GRANT INSERT (kind, args, name, queue, priority, run_at, max_attempts, timeout, cores, memory_limit, unique_key,
        concurrency_key, after) ON shufflenet.jobs TO shufflenet_operator, shufflenet_submitter;
    GRANT EXECUTE ON FUNCTION shufflenet.submit, shufflenet.cancel, shufflenet.retry, shufflenet.hold, shufflenet.release
        TO shufflenet_operator, shufflenet_submitter;
    GRANT EXECUTE ON FUNCTION shufflenet.pause_queue, shufflenet.resume_queue, shufflenet.schedule,
        shufflenet.unschedule, shufflenet.pause_schedule, shufflenet.resume_schedule TO shufflenet_operator;

    DROP POLICY IF EXISTS all_rows ON shufflenet.jobs;
    DROP POLICY IF EXISTS own_rows ON shufflenet.jobs;
    DROP POLICY IF EXISTS visible_jobs ON shufflenet.job_history;
    DROP POLICY IF EXISTS written_events ON shufflenet.job_history;
    CREATE POLICY all_rows ON shufflenet.jobs TO shufflenet_owner, shufflenet_worker, shufflenet_operator, shufflenet_viewer
        USING (true);
    CREATE POLICY own_rows ON shufflenet.jobs TO shufflenet_submitter USING (submitted_by = session_user);
    CREATE POLICY visible_jobs ON shufflenet.job_history FOR SELECT
        TO shufflenet_operator, shufflenet_submitter, shufflenet_viewer
        USING (EXISTS (SELECT FROM shufflenet.jobs AS j WHERE j.id = job_id));
    CREATE POLICY written_events ON shufflenet.job_history TO shufflenet_owner, shufflenet_worker USING (true);
END $rights$;

-- Which records of a data set are measured.
INSERT INTO shufflenet.job_arguments (kind, name, is_name, required, about) VALUES
    ('evaluate', 'part', false, false, '"auto", "validation" or "training".');
UPDATE shufflenet.job_arguments SET about = 'Whether to leave out the last, smaller batch of an epoch.'
    WHERE kind = 'train' AND name = 'drop_remainder';

SELECT shufflenet.grant_rights();
