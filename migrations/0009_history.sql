-- Claims and completions, most of what happens to jobs, are told by the job's own row and not once more by a row of
-- events: that took a quarter of a claim's and a completion's time on the server. View job_events puts together what is
-- written down and what the rows tell, so there is an event for every change of state as before.

DROP VIEW shufflenet.job_attempts;
ALTER TABLE shufflenet.job_events RENAME TO job_history;
-- Events get their numbers from the sequence of the leases, so that a claim's token is the number of its event, too, and
-- all events of a job stand in order. Every other number is left free: it is that of the completion.
ALTER TABLE shufflenet.job_history ALTER COLUMN id DROP IDENTITY;
ALTER TABLE shufflenet.job_history ALTER COLUMN id SET DEFAULT nextval('shufflenet.lease_tokens');
ALTER SEQUENCE shufflenet.lease_tokens INCREMENT BY 2;
SELECT setval('shufflenet.lease_tokens',
    greatest(nextval('shufflenet.lease_tokens'), (SELECT max(h.id) + 1 FROM shufflenet.job_history AS h)));
COMMENT ON SEQUENCE shufflenet.lease_tokens IS
    'One number for every claim, so that an old holder of a job can never be mistaken for the present one; and for every event.';
COMMENT ON TABLE shufflenet.job_history IS
    'Changes of a job''s state that its row does not tell (any more), written by triggers. Never updated. See view job_events.';

ALTER TABLE shufflenet.jobs ADD COLUMN event_implied boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN shufflenet.jobs.event_implied IS
    'Turned over by a daemon''s claim or completion, so that the trigger of changes passes them by: the row tells of them. Whoever leaves it alone gets a row of job_history.';

-- Who claims and completes in a worker's name: the actor of the events that a row implies.
ALTER TABLE shufflenet.workers ADD COLUMN role text;
ALTER TABLE shufflenet.workers ALTER COLUMN role SET DEFAULT session_user;
COMMENT ON COLUMN shufflenet.workers.role IS 'The database role it registered with; NULL if that was before there was this column.';

-- The events of the last claim, and of the completion it led to, that no row of job_history tells.
-- Without a search_path of its own, so that it becomes part of the statement that reads it.
CREATE FUNCTION shufflenet.implied_events(job shufflenet.jobs) RETURNS SETOF shufflenet.job_history
LANGUAGE sql STABLE AS $$
    WITH written AS MATERIALIZED (
        SELECT h.id, h.to_state, h.from_state, h.lease_token FROM shufflenet.job_history AS h WHERE h.job_id = job.id
    ), actor AS (
        SELECT coalesce((SELECT w.role FROM shufflenet.workers AS w WHERE w.id = job.worker_id), 'unknown') AS role
    )
    SELECT job.lease_token, job.id, job.started_at, 'available', 'running', NULL, NULL, job.attempt, job.lease_token,
        job.worker_id, NULL, NULL::double precision, NULL::bigint, a.role
    FROM actor AS a
    WHERE job.state IN ('running', 'completed') AND job.lease_token IS NOT NULL AND NOT EXISTS (
        SELECT FROM written AS h WHERE h.to_state = 'running' AND h.lease_token = job.lease_token)
    UNION ALL
    -- Without reason: the row may still carry that of an earlier attempt. The number is usually the one after the token's.
    SELECT greatest(job.lease_token, (SELECT max(h.id) FROM written AS h)) + 1, job.id, job.finished_at, 'running',
        'completed', NULL, NULL, job.attempt, job.lease_token, job.worker_id, job.log_path, job.cpu_seconds,
        job.peak_memory_bytes, a.role
    FROM actor AS a
    WHERE job.state = 'completed' AND job.lease_token IS NOT NULL AND NOT EXISTS (
        SELECT FROM written AS h WHERE h.from_state = 'running' AND h.lease_token = job.lease_token)
$$;
COMMENT ON FUNCTION shufflenet.implied_events IS 'Events that a job''s row tells and table job_history does not.';

CREATE VIEW shufflenet.job_events WITH (security_invoker = true) AS
    SELECT h.id, h.job_id, h.at, h.from_state, h.to_state, h.reason, h.message, h.attempt, h.lease_token, h.worker_id,
        h.log_path, h.cpu_seconds, h.peak_memory_bytes, h.actor
    FROM shufflenet.job_history AS h
    UNION ALL
    SELECT e.id, j.id, e.at, e.from_state, e.to_state, e.reason, e.message, e.attempt, e.lease_token, e.worker_id,
        e.log_path, e.cpu_seconds, e.peak_memory_bytes, e.actor
    FROM shufflenet.jobs AS j, shufflenet.implied_events(j) AS e
    WHERE j.state IN ('running', 'completed');
COMMENT ON VIEW shufflenet.job_events IS
    'A row for every change of a job''s state: what was written to job_history, and what the job''s own row tells. In the order of id for each job.';
COMMENT ON COLUMN shufflenet.job_events.lease_token IS 'Of the attempt that began or ended with this change.';
COMMENT ON COLUMN shufflenet.job_events.log_path IS 'Of the attempt that ended with this change; so are the columns after it.';
COMMENT ON COLUMN shufflenet.job_events.actor IS 'The database role that changed the state.';

CREATE VIEW shufflenet.job_attempts WITH (security_invoker = true) AS
    SELECT b.job_id, b.lease_token, b.attempt, b.worker_id, b.at AS started_at, e.at AS finished_at, e.reason,
        e.message AS error, coalesce(e.log_path, j.log_path) AS log_path, e.cpu_seconds, e.peak_memory_bytes
    FROM shufflenet.job_events AS b
    LEFT JOIN shufflenet.job_events AS e
        ON e.job_id = b.job_id AND e.lease_token = b.lease_token AND e.from_state = 'running'
    LEFT JOIN shufflenet.jobs AS j ON j.id = b.job_id AND j.lease_token = b.lease_token AND j.state = 'running'
    WHERE b.to_state = 'running';
COMMENT ON VIEW shufflenet.job_attempts IS
    'A row for every claim: how the run ended, where its log is, what it used. reason is NULL if it completed or still runs.';

CREATE OR REPLACE FUNCTION shufflenet.forget_deleted_jobs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM shufflenet.job_history WHERE job_id IN (SELECT id FROM gone);
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION shufflenet.note_new_job() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO shufflenet.job_history (job_id, to_state, attempt) VALUES (NEW.id, NEW.state, NEW.attempt);
    IF NEW.state = 'available' AND NOT NEW.intake_pending AND NEW.waits_for = 0 AND NEW.run_at <= now() THEN
        PERFORM pg_notify('shufflenet_jobs', NEW.queue);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION shufflenet.note_changed_job() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    holder shufflenet.jobs;
BEGIN
    -- Claims and completions, which are most of what comes: what there is to say of them stands in the row.
    IF NEW.event_implied <> OLD.event_implied THEN
        RETURN NULL;
    END IF;
    IF NEW.state <> OLD.state THEN
        PERFORM shufflenet.check_change(NEW);
        -- The row is about to tell something else.
        INSERT INTO shufflenet.job_history SELECT (e).* FROM shufflenet.implied_events(OLD) AS e;
        IF NEW.state = 'running' OR OLD.state = 'running' THEN
            IF NEW.state = 'running' THEN holder := NEW; ELSE holder := OLD; END IF;
            -- A claim or completion has no reason: the job may still carry that of an earlier attempt.
            INSERT INTO shufflenet.job_history (job_id, from_state, to_state, reason, message, attempt, lease_token,
                worker_id, log_path, cpu_seconds, peak_memory_bytes)
            VALUES (NEW.id, OLD.state, NEW.state,
                CASE WHEN NEW.state NOT IN ('running', 'completed') THEN NEW.reason END,
                CASE WHEN NEW.state NOT IN ('running', 'completed') THEN NEW.error END,
                holder.attempt, holder.lease_token, holder.worker_id, NEW.log_path, NEW.cpu_seconds,
                NEW.peak_memory_bytes);
        ELSE
            INSERT INTO shufflenet.job_history (job_id, from_state, to_state, reason, message, attempt)
            VALUES (NEW.id, OLD.state, NEW.state, NEW.reason, NEW.error, NEW.attempt);
        END IF;
    END IF;
    IF NEW.state = 'available' AND NOT NEW.intake_pending AND NEW.waits_for = 0 AND NEW.run_at <= now()
        AND (OLD.state <> 'available' OR OLD.intake_pending OR OLD.waits_for > 0 OR OLD.run_at <> NEW.run_at) THEN
        PERFORM pg_notify('shufflenet_jobs', NEW.queue);
    ELSIF NEW.state = 'running' AND NEW.cancel_requested AND NOT OLD.cancel_requested THEN
        PERFORM pg_notify('shufflenet_cancel', NEW.id::text);
    END IF;
    IF NEW.has_dependants OR NEW.concurrency_key IS NOT NULL THEN
        PERFORM shufflenet.wake_others(OLD, NEW);
    END IF;
    RETURN NULL;
END $$;

-- Every claim and every completion looks at the condition of each of these, for the few rows that have what they are
-- about. Shards are found by their parent's list of what it waits for.
DROP INDEX shufflenet.jobs_shard;

CREATE OR REPLACE FUNCTION shufflenet.stop_shards(parent bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE shufflenet.jobs AS j SET state = 'cancelled', reason = 'cancelled', finished_at = clock_timestamp()
        WHERE j.id = ANY ((SELECT p.after FROM shufflenet.jobs AS p WHERE p.id = $1)::bigint[]) AND j.parent_id = $1
            AND j.state IN ('available', 'held');
    UPDATE shufflenet.jobs AS j SET cancel_requested = true
        WHERE j.id = ANY ((SELECT p.after FROM shufflenet.jobs AS p WHERE p.id = $1)::bigint[]) AND j.parent_id = $1
            AND j.state = 'running' AND NOT j.cancel_requested;
$$;

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
    PERFORM shufflenet.retry(p.id) FROM shufflenet.jobs AS p
        WHERE p.id = ANY (found_job.after) AND p.parent_id = job AND p.state IN ('failed', 'cancelled', 'held');
    UPDATE shufflenet.jobs SET state = 'available', run_at = now(), crash_count = 0, loss_count = 0,
        attempts_before = attempt, cancel_requested = false, finished_at = NULL, progress = 0, progress_message = NULL,
        waits_for = CASE WHEN after IS NULL THEN 0 ELSE shufflenet.count_unfinished(id, after) END
        WHERE id = job;
END $$;

-- Dropped folders whose job is not yet over and done with, for the daemons' look at them every few seconds.
DROP INDEX shufflenet.jobs_spooled;
CREATE TABLE shufflenet.open_folders (
    job_id bigint PRIMARY KEY
);
COMMENT ON TABLE shufflenet.open_folders IS
    'Jobs whose dropped folder has not been put in its final place: a row comes with the job and goes with the folder.';
INSERT INTO shufflenet.open_folders
    SELECT j.id FROM shufflenet.jobs AS j WHERE j.intake_pending OR (j.spool_folder IS NOT NULL AND NOT j.spool_settled);

CREATE FUNCTION shufflenet.open_folder() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO shufflenet.open_folders VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_folder_opened AFTER INSERT ON shufflenet.jobs
    FOR EACH ROW WHEN (NEW.intake_pending OR NEW.spool_folder IS NOT NULL) EXECUTE FUNCTION shufflenet.open_folder();

CREATE FUNCTION shufflenet.close_folder() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM shufflenet.open_folders WHERE job_id = OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_folder_settled AFTER UPDATE OF spool_settled ON shufflenet.jobs
    FOR EACH ROW WHEN (NEW.spool_settled) EXECUTE FUNCTION shufflenet.close_folder();
CREATE TRIGGER jobs_folder_forgotten AFTER DELETE ON shufflenet.jobs
    FOR EACH ROW WHEN (OLD.spool_folder IS NOT NULL OR OLD.intake_pending) EXECUTE FUNCTION shufflenet.close_folder();

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
        shufflenet.unschedule TO shufflenet_operator;

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

SELECT shufflenet.grant_rights();
