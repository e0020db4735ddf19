-- Jobs that come by the clock. The times are worked out by the daemons; what decides among them is the unique
-- (schedule_name, fire_at) of jobs.

CREATE TABLE shufflenet.schedules (
    name         text PRIMARY KEY,
    cron         text NOT NULL,
    time_zone    text NOT NULL DEFAULT 'UTC',
    kind         text NOT NULL,
    args         jsonb NOT NULL DEFAULT '{}',
    queue        shufflenet.queue_name NOT NULL DEFAULT 'default',
    priority     integer NOT NULL DEFAULT 0 CONSTRAINT schedules_priority_in_range CHECK (priority BETWEEN -100 AND 100),
    timeout      shufflenet.time_limit,
    enabled      boolean NOT NULL DEFAULT true,
    catch_up     text NOT NULL DEFAULT 'skip',
    overlap      text NOT NULL DEFAULT 'forbid',
    anchor_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    next_fire_at timestamptz,
    last_fire_at timestamptz,
    last_job_id  bigint,
    note         text,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_by   text NOT NULL DEFAULT session_user,

    CONSTRAINT schedules_name_is_a_name CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]*$' AND length(name) <= 100),
    CONSTRAINT schedules_catch_up_known CHECK (catch_up IN ('skip', 'once', 'all')),
    CONSTRAINT schedules_overlap_known CHECK (overlap IN ('forbid', 'allow', 'replace'))
);
COMMENT ON TABLE shufflenet.schedules IS 'Jobs that are made by the clock, for instance a nightly retraining.';
COMMENT ON COLUMN shufflenet.schedules.cron IS 'Five fields (minute hour day-of-month month day-of-week) or @hourly, @daily, @weekly, @monthly, @yearly; see crontab(5).';
COMMENT ON COLUMN shufflenet.schedules.time_zone IS 'IANA name, for instance Europe/Berlin. A local time that is skipped in spring fires just after the gap, one that comes twice in autumn fires once.';
COMMENT ON COLUMN shufflenet.schedules.catch_up IS 'What to do with times missed while no daemon ran: skip them, make up for them once, or for all.';
COMMENT ON COLUMN shufflenet.schedules.overlap IS 'What to do while the job before is unfinished: forbid (leave this one out), allow, or replace (cancel the one before).';
COMMENT ON COLUMN shufflenet.schedules.anchor_at IS 'Times up to this are not looked at: the schedule was made, changed or enabled then.';
COMMENT ON COLUMN shufflenet.schedules.next_fire_at IS 'Worked out by a daemon; NULL until one has looked.';
COMMENT ON COLUMN shufflenet.schedules.note IS 'What happened at the last time, if it was not a plain fire; or why the schedule can''t work.';

CREATE FUNCTION shufflenet.check_schedule() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM shufflenet.check_arguments(NEW.kind, NEW.args, false);
    -- The five fields are read in full by the daemon, which leaves its findings in note.
    IF NEW.cron !~* '^\s*(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|[0-9*][-0-9,*/]*\s+[0-9*][-0-9,*/]*\s+[0-9*][-0-9,*/]*\s+[0-9a-z*][-0-9a-z,*/]*\s+[0-9a-z*][-0-9a-z,*/]*)\s*$' THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'schedules_cron',
            MESSAGE = format('cron is %L, wanted five fields or @daily and the like', NEW.cron),
            HINT = 'minute hour day-of-month month day-of-week, for instance ''30 2 * * *'' for every night at half past two.';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_timezone_names AS z WHERE z.name = NEW.time_zone) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'schedules_time_zone',
            MESSAGE = format('unknown time zone %L', NEW.time_zone),
            HINT = 'Use an IANA name such as UTC or Europe/Berlin; they stand in pg_timezone_names.';
    END IF;
    IF TG_OP = 'INSERT' OR NEW.cron <> OLD.cron OR NEW.time_zone <> OLD.time_zone
        OR (NEW.enabled AND NOT OLD.enabled) OR OLD.next_fire_at = 'infinity' THEN
        NEW.anchor_at := clock_timestamp();
        NEW.next_fire_at := NULL;
        NEW.note := NULL;
    END IF;
    RETURN NEW;
END $$;
-- pg_timezone_names reads the zone files, so not for the bookkeeping of every fire.
CREATE TRIGGER schedules_check
    BEFORE INSERT OR UPDATE OF cron, time_zone, kind, args, enabled ON shufflenet.schedules
    FOR EACH ROW EXECUTE FUNCTION shufflenet.check_schedule();

CREATE FUNCTION shufflenet.announce_schedule() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('shufflenet_schedules', NEW.name);
    RETURN NULL;
END $$;
CREATE TRIGGER schedules_announce AFTER INSERT OR UPDATE OF cron, time_zone, enabled ON shufflenet.schedules
    FOR EACH ROW EXECUTE FUNCTION shufflenet.announce_schedule();

CREATE FUNCTION shufflenet.schedule(
    name text, cron text, kind text, args jsonb DEFAULT '{}', time_zone text DEFAULT 'UTC',
    catch_up text DEFAULT 'skip', overlap text DEFAULT 'forbid', enabled boolean DEFAULT true,
    queue text DEFAULT 'default', priority integer DEFAULT 0, timeout interval DEFAULT NULL
) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO shufflenet.schedules AS s
        (name, cron, kind, args, time_zone, catch_up, overlap, enabled, queue, priority, timeout)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    ON CONFLICT (name) DO UPDATE SET
        cron = excluded.cron, kind = excluded.kind, args = excluded.args, time_zone = excluded.time_zone,
        catch_up = excluded.catch_up, overlap = excluded.overlap, enabled = excluded.enabled,
        queue = excluded.queue, priority = excluded.priority, timeout = excluded.timeout
$$;
COMMENT ON FUNCTION shufflenet.schedule IS 'Makes a schedule or changes the one of this name.';

CREATE FUNCTION shufflenet.unschedule(name text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH gone AS (DELETE FROM shufflenet.schedules AS s WHERE s.name = $1 RETURNING 1)
    SELECT EXISTS (SELECT FROM gone)
$$;
COMMENT ON FUNCTION shufflenet.unschedule IS 'Deletes a schedule; its jobs stay. False if there was none.';
