-- Claims and completions leave the trigger of every change after its first branch.

CREATE OR REPLACE FUNCTION shufflenet.note_changed_job() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    -- Claims and completions first and in one condition: they are most of what comes.
    IF NEW.state IN ('running', 'completed') AND NEW.state <> OLD.state AND NEW.lease_token IS NOT NULL
        AND NEW.worker_id IS NOT NULL AND (NEW.finished_at IS NOT NULL) = (NEW.state = 'completed') THEN
        -- Without reason: the job may still carry that of an earlier attempt.
        INSERT INTO shufflenet.job_events (job_id, from_state, to_state, attempt, lease_token, worker_id, log_path,
            cpu_seconds, peak_memory_bytes)
        VALUES (NEW.id, OLD.state, NEW.state, NEW.attempt, NEW.lease_token, NEW.worker_id, NEW.log_path,
            NEW.cpu_seconds, NEW.peak_memory_bytes);
    ELSE
        IF NEW.state <> OLD.state THEN
            PERFORM shufflenet.check_change(NEW);
            IF OLD.state = 'running' THEN
                INSERT INTO shufflenet.job_events (job_id, from_state, to_state, reason, message, attempt, lease_token,
                    worker_id, log_path, cpu_seconds, peak_memory_bytes)
                VALUES (NEW.id, OLD.state, NEW.state, NEW.reason, NEW.error, OLD.attempt, OLD.lease_token,
                    OLD.worker_id, NEW.log_path, NEW.cpu_seconds, NEW.peak_memory_bytes);
            ELSE
                INSERT INTO shufflenet.job_events (job_id, from_state, to_state, reason, message, attempt)
                VALUES (NEW.id, OLD.state, NEW.state, NEW.reason, NEW.error, NEW.attempt);
            END IF;
        END IF;
        IF NEW.state = 'available' AND NOT NEW.intake_pending AND NEW.waits_for = 0 AND NEW.run_at <= now()
            AND (OLD.state <> 'available' OR OLD.intake_pending OR OLD.waits_for > 0 OR OLD.run_at <> NEW.run_at) THEN
            PERFORM pg_notify('shufflenet_jobs', NEW.queue);
        ELSIF NEW.state = 'running' AND NEW.cancel_requested AND NOT OLD.cancel_requested THEN
            PERFORM pg_notify('shufflenet_cancel', NEW.id::text);
        END IF;
    END IF;
    IF NEW.has_dependants OR NEW.concurrency_key IS NOT NULL THEN
        PERFORM shufflenet.wake_others(OLD, NEW);
    END IF;
    RETURN NULL;
END $$;
