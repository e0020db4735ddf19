-- A claim looks at one row beside the queue: its worker's, which knows the paused queues too. And daemons can tell one
-- database from another.

ALTER TABLE shufflenet.workers ADD COLUMN paused_queues text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN shufflenet.workers.paused_queues IS
    'The queues of table paused_queues, kept here by triggers, so that a claim need not look there as well.';

-- Pauses and registrations take turns: of two at a time, neither would see the other's row.
CREATE FUNCTION shufflenet.tell_workers_of_pauses() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('shufflenet.paused_queues', 0));
    UPDATE shufflenet.workers SET paused_queues = ARRAY(SELECT p.queue::text FROM shufflenet.paused_queues AS p)
        WHERE retired_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER paused_queues_told AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON shufflenet.paused_queues
    FOR EACH STATEMENT EXECUTE FUNCTION shufflenet.tell_workers_of_pauses();

CREATE FUNCTION shufflenet.tell_worker_of_pauses() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('shufflenet.paused_queues', 0));
    NEW.paused_queues := ARRAY(SELECT p.queue::text FROM shufflenet.paused_queues AS p);
    RETURN NEW;
END $$;
CREATE TRIGGER workers_told BEFORE INSERT ON shufflenet.workers
    FOR EACH ROW EXECUTE FUNCTION shufflenet.tell_worker_of_pauses();

UPDATE shufflenet.workers SET paused_queues = ARRAY(SELECT p.queue::text FROM shufflenet.paused_queues AS p)
    WHERE retired_at IS NULL;

-- Claims and completions are kept from the trigger of changes altogether, not only from its work.
DROP TRIGGER jobs_changed ON shufflenet.jobs;
CREATE TRIGGER jobs_changed
    AFTER UPDATE OF state, run_at, cancel_requested, intake_pending, waits_for ON shufflenet.jobs
    FOR EACH ROW WHEN (NEW.event_implied = OLD.event_implied) EXECUTE FUNCTION shufflenet.note_changed_job();

CREATE TABLE shufflenet.identity (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    id      uuid NOT NULL DEFAULT gen_random_uuid()
);
COMMENT ON TABLE shufflenet.identity IS
    'What this database is called in the spools it feeds on (.spool-database), so that those of another one are left alone.';
INSERT INTO shufflenet.identity DEFAULT VALUES;

SELECT shufflenet.grant_rights();
