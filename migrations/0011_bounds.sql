-- What one row can do to the others: keys that no index holds, times that nobody can read, chains of jobs deeper than the
-- stack, and a pause whose transaction stays open.

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
                OR wanted ->> a.name !~ '^[A-Za-z0-9][A-Za-z0-9._-]*$' OR length(wanted ->> a.name) > 255);
    IF found IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_args_names',
            MESSAGE = format('args of kind %s: %s', wanted_kind, found),
            HINT = 'Give the name of something under the daemon''s folders: letters, digits, ''.'', ''_'' and ''-'', beginning with a letter or a digit; never a path. A name of digits alone stands in quotes: "2024".';
    END IF;
    IF wanted ? 'shards' AND (dropped OR coalesce(wanted ->> 'shards', 'null') !~ '^[0-9]{1,4}$'
        OR (wanted ->> 'shards')::integer NOT BETWEEN 2 AND 1000) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_shards',
            MESSAGE = format('args of kind %s: shards is %s, wanted a whole number from 2 to 1000', wanted_kind,
                CASE WHEN dropped THEN 'given for a dropped folder' ELSE (wanted -> 'shards')::text END),
            HINT = 'Only a folder under datasets/, on a storage that all daemons share, can be divided.';
    END IF;
END $$;

CREATE OR REPLACE FUNCTION shufflenet.check_job() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM shufflenet.check_arguments(NEW.kind, NEW.args, NEW.intake_pending OR NEW.spool_folder IS NOT NULL);
    NEW.priority := coalesce(NEW.priority, 0);
    IF NEW.priority NOT BETWEEN -100 AND 100 THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_priority_in_range',
            MESSAGE = format('priority is %s, wanted -100 to 100', NEW.priority),
            HINT = 'Higher goes first; 0 is usual.';
    END IF;
    -- A label may become part of a folder's name, so it must not lead anywhere.
    IF NEW.name ~ '[/[:cntrl:]]' OR NEW.name IN ('', '.', '..') OR length(NEW.name) > 255 THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_name_is_a_label',
            MESSAGE = 'name is not a label: it is empty, too long, or has a slash or a control character in it',
            HINT = 'Use up to 255 characters without slashes.';
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
DROP TRIGGER jobs_check ON shufflenet.jobs;
CREATE TRIGGER jobs_check
    BEFORE INSERT OR UPDATE OF kind, args, name, priority, unique_key, concurrency_key, timeout ON shufflenet.jobs
    FOR EACH ROW EXECUTE FUNCTION shufflenet.check_job();

UPDATE shufflenet.jobs SET concurrency_key = md5(concurrency_key)
    WHERE octet_length(concurrency_key) > 2000 AND state IN ('available', 'held');
UPDATE shufflenet.jobs SET timeout = NULL WHERE timeout > interval '10 years' AND state IN ('available', 'held');

-- Jobs that wait for one another are ended in a loop: a change in the trigger of a change goes as deep as the chain is long.
CREATE OR REPLACE FUNCTION shufflenet.wake_others(before shufflenet.jobs, job shufflenet.jobs) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    waiting shufflenet.jobs;
    ended shufflenet.jobs := job;
    ends bigint[] := '{}';
BEGIN
    IF before.state = 'running' AND job.state <> 'running' AND job.concurrency_key IS NOT NULL THEN
        PERFORM pg_notify('shufflenet_jobs', job.queue);
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
    PERFORM shufflenet.retry(p.id) FROM shufflenet.jobs AS p
        WHERE p.id = ANY (found_job.after) AND p.parent_id = job AND p.state IN ('failed', 'cancelled', 'held');
    UPDATE shufflenet.jobs SET state = 'available', run_at = now(), crash_count = 0, loss_count = 0,
        attempts_before = attempt, cancel_requested = false, finished_at = NULL, progress = 0, progress_message = NULL,
        waits_for = CASE WHEN after IS NULL THEN 0 ELSE shufflenet.count_unfinished(id, after) END
        WHERE id = job;
END $$;

-- The workers' own rows are their heartbeats': a pause must not keep those waiting while its transaction is open.
CREATE TABLE shufflenet.pauses (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    queues  text[] NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE shufflenet.pauses IS
    'The queues of table paused_queues, kept in one row by a trigger, so that a claim need not look there.';
INSERT INTO shufflenet.pauses (queues) SELECT ARRAY(SELECT p.queue::text FROM shufflenet.paused_queues AS p);

DROP TRIGGER paused_queues_told ON shufflenet.paused_queues;
DROP TRIGGER workers_told ON shufflenet.workers;
DROP FUNCTION shufflenet.tell_workers_of_pauses();
DROP FUNCTION shufflenet.tell_worker_of_pauses();
ALTER TABLE shufflenet.workers DROP COLUMN paused_queues;

-- Pauses take turns: of two at a time, neither would see the other's row.
CREATE FUNCTION shufflenet.note_pauses() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('shufflenet.paused_queues', 0));
    UPDATE shufflenet.pauses SET queues = ARRAY(SELECT p.queue::text FROM shufflenet.paused_queues AS p);
    RETURN NULL;
END $$;
CREATE TRIGGER paused_queues_noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON shufflenet.paused_queues
    FOR EACH STATEMENT EXECUTE FUNCTION shufflenet.note_pauses();

COMMENT ON COLUMN shufflenet.jobs.queue IS
    'Daemons serve default, and each the queue spool-<id> of the folders dropped into its spool; a job in another queue waits.';

SELECT shufflenet.grant_rights();
