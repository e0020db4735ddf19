-- Who may do what. Grant these roles to those who log in, for instance
--     CREATE ROLE alice LOGIN IN ROLE shufflenet_submitter;
-- Roles belong to the whole server. Where this one may not make them, everything else works for the owner alone until
-- somebody who may makes them and runs shufflenet.grant_rights().

CREATE FUNCTION shufflenet.grant_rights() RETURNS void
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
    REVOKE SELECT ON shufflenet.schedules, shufflenet.schedules_overview FROM shufflenet_submitter;
    GRANT EXECUTE ON FUNCTION shufflenet.may_steer TO shufflenet_operator, shufflenet_submitter, shufflenet_viewer;

    -- A job's state, token, counts, submitter and folders are not among the columns.
    GRANT INSERT (kind, args, name, queue, priority, run_at, max_attempts, timeout, cores, memory_limit, unique_key,
        concurrency_key, after) ON shufflenet.jobs TO shufflenet_operator, shufflenet_submitter;
    GRANT EXECUTE ON FUNCTION shufflenet.submit, shufflenet.cancel, shufflenet.retry, shufflenet.hold, shufflenet.release
        TO shufflenet_operator, shufflenet_submitter;
    GRANT EXECUTE ON FUNCTION shufflenet.pause_queue, shufflenet.resume_queue, shufflenet.schedule,
        shufflenet.unschedule TO shufflenet_operator;

    DROP POLICY IF EXISTS all_rows ON shufflenet.jobs;
    DROP POLICY IF EXISTS own_rows ON shufflenet.jobs;
    DROP POLICY IF EXISTS visible_jobs ON shufflenet.job_events;
    DROP POLICY IF EXISTS written_events ON shufflenet.job_events;
    CREATE POLICY all_rows ON shufflenet.jobs TO shufflenet_owner, shufflenet_worker, shufflenet_operator, shufflenet_viewer
        USING (true);
    CREATE POLICY own_rows ON shufflenet.jobs TO shufflenet_submitter USING (submitted_by = session_user);
    CREATE POLICY visible_jobs ON shufflenet.job_events FOR SELECT
        TO shufflenet_operator, shufflenet_submitter, shufflenet_viewer
        USING (EXISTS (SELECT FROM shufflenet.jobs AS j WHERE j.id = job_id));
    CREATE POLICY written_events ON shufflenet.job_events TO shufflenet_owner, shufflenet_worker USING (true);
END $rights$;
COMMENT ON FUNCTION shufflenet.grant_rights IS 'Makes the five roles where it may, and gives them their rights. Can be repeated.';

ALTER TABLE shufflenet.jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE shufflenet.job_events ENABLE ROW LEVEL SECURITY;

-- Views see what their reader may see, not what their owner may.
ALTER VIEW shufflenet.job_attempts SET (security_invoker = true);
ALTER VIEW shufflenet.jobs_overview SET (security_invoker = true);
ALTER VIEW shufflenet.jobs_waiting SET (security_invoker = true);
ALTER VIEW shufflenet.jobs_running SET (security_invoker = true);
ALTER VIEW shufflenet.jobs_failures SET (security_invoker = true);
ALTER VIEW shufflenet.schedules_overview SET (security_invoker = true);
ALTER VIEW shufflenet.workers_overview SET (security_invoker = true);

SELECT shufflenet.grant_rights();
