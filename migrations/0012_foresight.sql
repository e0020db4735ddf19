-- What was only found out later: a cron that can't be read when it first would have fired, a queue that nobody serves when
-- somebody wondered why its jobs wait, what a bound allows in the source of this schema.

ALTER DOMAIN shufflenet.queue_name RENAME CONSTRAINT jobs_queue_is_a_name
    TO "queue has 1 to 100 letters, digits, dots, underscores, dashes";
ALTER DOMAIN shufflenet.attempt_limit RENAME CONSTRAINT jobs_max_attempts_in_range TO "max_attempts is 1 to 100";
ALTER DOMAIN shufflenet.time_limit RENAME CONSTRAINT jobs_timeout_in_range TO "timeout is longer than 0";
ALTER DOMAIN shufflenet.core_limit RENAME CONSTRAINT jobs_cores_in_range TO "cores is 1 to 4096";
ALTER DOMAIN shufflenet.memory_limit RENAME CONSTRAINT jobs_memory_in_range TO "memory_limit is 16777216 bytes or more";
ALTER TABLE shufflenet.schedules RENAME CONSTRAINT schedules_priority_in_range TO "priority is -100 to 100";
ALTER TABLE shufflenet.schedules RENAME CONSTRAINT schedules_catch_up_known TO "catch_up is skip, once or all";
ALTER TABLE shufflenet.schedules RENAME CONSTRAINT schedules_overlap_known TO "overlap is forbid, allow or replace";
ALTER TABLE shufflenet.schedules RENAME CONSTRAINT schedules_name_is_a_name
    TO "name has 1 to 100 letters, digits, dots, underscores, dashes";

-- The daemons' own reading of the five fields, in the words of the database; NULL if nothing is wrong.
CREATE FUNCTION shufflenet.cron_mistake(cron text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fields text[] := regexp_split_to_array(lower(btrim(cron, E' \t\n\r\f\x0B')), '\s+');
    titles text[] := '{minute,hour,day of month,month,day of week}';
    lowest integer[] := '{0,0,1,1,0}';
    highest integer[] := '{59,23,31,12,7}';
    months text[] := '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}';
    days text[] := '{sun,mon,tue,wed,thu,fri,sat}';
    item text;
    parts text[];
    bounds text[];
    bound text;
    numbers integer[];
BEGIN
    IF cardinality(fields) = 1 AND fields[1] LIKE '@%' THEN
        RETURN CASE WHEN fields[1] NOT IN ('@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly')
            THEN 'wanted @yearly, @annually, @monthly, @weekly, @daily, @midnight or @hourly' END;
    END IF;
    IF cardinality(fields) <> 5 THEN
        RETURN format('it has %s fields, wanted 5: minute hour day-of-month month day-of-week', cardinality(fields));
    END IF;
    FOR field IN 1..5 LOOP
        FOREACH item IN ARRAY string_to_array(fields[field], ',') LOOP
            parts := regexp_match(item, '^([^/]*)(?:/(.*))?$');
            bounds := regexp_match(parts[1], '^([^-]*)(?:-(.*))?$');
            numbers := '{}';
            IF parts[1] <> '*' THEN
                FOREACH bound IN ARRAY array_remove(bounds, NULL) LOOP
                    numbers := numbers || CASE
                        WHEN bound ~ '^[0-9]{1,9}$' THEN bound::integer
                        WHEN field = 4 THEN array_position(months, bound)
                        WHEN field = 5 THEN array_position(days, bound) - 1
                    END;
                END LOOP;
                IF NOT coalesce((SELECT bool_and(n BETWEEN lowest[field] AND highest[field]) FROM unnest(numbers) AS n
                    HAVING bool_and(n IS NOT NULL)), false) THEN
                    RETURN format('its %s has %L, wanted %s to %s%s', titles[field], parts[1], lowest[field],
                        highest[field], CASE field WHEN 4 THEN ' or jan to dec' WHEN 5 THEN ' or sun to sat' ELSE '' END);
                END IF;
                IF numbers[1] > numbers[2] THEN
                    RETURN format('its %s has the range %L, which runs backwards, write it as two', titles[field], parts[1]);
                END IF;
            END IF;
            IF parts[2] IS NOT NULL AND (parts[2] !~ '^[0-9]{1,9}$' OR parts[2]::integer NOT BETWEEN 1 AND 1000) THEN
                RETURN format('its %s has the step %L, wanted a whole number above 0', titles[field], parts[2]);
            END IF;
            IF parts[2] IS NOT NULL AND cardinality(numbers) = 1 THEN
                RETURN format('its %s has the step %L without a range, write %s-%s/%s', titles[field], item, parts[1],
                    highest[field], parts[2]);
            END IF;
        END LOOP;
    END LOOP;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION shufflenet.cron_mistake IS 'What is wrong with a cron expression, see crontab(5); NULL if nothing is.';

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
    IF TG_OP = 'INSERT' OR NEW.cron <> OLD.cron OR NEW.time_zone <> OLD.time_zone
        OR (NEW.enabled AND NOT OLD.enabled) OR OLD.next_fire_at = 'infinity' THEN
        NEW.anchor_at := clock_timestamp();
        NEW.next_fire_at := NULL;
        NEW.note := NULL;
    END IF;
    RETURN NEW;
END $$;

ALTER TABLE shufflenet.workers ADD COLUMN queues text[];
COMMENT ON COLUMN shufflenet.workers.queues IS 'The queues it claims from; NULL if it registered before there was this column.';

CREATE OR REPLACE VIEW shufflenet.workers_overview WITH (security_invoker = true) AS
    SELECT w.id, w.host, w.pid, w.slots, count(j.id) AS running, w.started_at,
        date_trunc('second', clock_timestamp() - w.last_heartbeat) AS last_heartbeat, w.version, w.queues
    FROM shufflenet.workers AS w
    LEFT JOIN shufflenet.jobs AS j ON j.worker_id = w.id AND j.state = 'running'
    WHERE w.retired_at IS NULL GROUP BY w.id ORDER BY w.id;

CREATE VIEW shufflenet.live_workers WITH (security_invoker = true) AS
    SELECT w.id, w.host, w.queues FROM shufflenet.workers AS w
    WHERE w.retired_at IS NULL AND w.last_heartbeat > clock_timestamp() - interval '2 minutes';
COMMENT ON VIEW shufflenet.live_workers IS 'Daemons that were heard of within two minutes.';

CREATE VIEW shufflenet.unserved_queues WITH (security_invoker = true) AS
    SELECT j.queue, count(*) AS jobs, min(j.created_at) AS waiting_since
    FROM shufflenet.jobs AS j
    WHERE j.state = 'available' AND NOT EXISTS (
        SELECT FROM shufflenet.live_workers AS w WHERE w.queues IS NULL OR j.queue = ANY (w.queues))
    GROUP BY j.queue ORDER BY j.queue;
COMMENT ON VIEW shufflenet.unserved_queues IS 'Queues with jobs that no running daemon will claim.';

SELECT shufflenet.grant_rights();
