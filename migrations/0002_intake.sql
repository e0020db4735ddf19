-- What people may ask for, and the sentences they get when they ask for something else.

CREATE TABLE shufflenet.job_arguments (
    kind     text NOT NULL CHECK (kind IN ('train', 'evaluate', 'classify')),
    name     text NOT NULL,
    is_name  boolean NOT NULL DEFAULT false,
    required boolean NOT NULL DEFAULT false,
    about    text NOT NULL,
    PRIMARY KEY (kind, name)
);
COMMENT ON TABLE shufflenet.job_arguments IS 'The keys that jobs.args may have, for each kind. Their values are checked by the run.';
COMMENT ON COLUMN shufflenet.job_arguments.is_name IS 'The value is the name of something under one of the daemon''s folders, never a path.';
COMMENT ON COLUMN shufflenet.job_arguments.required IS 'Must be given, unless the job was dropped as a folder (then the folder is the data).';

INSERT INTO shufflenet.job_arguments (kind, name, is_name, required, about) VALUES
    ('train', 'dataset', true, true, 'Folder under datasets/: CIFAR-10 binary files, or one folder of images a class.'),
    ('train', 'model_size', false, false, '"0.5x", "1.0x", "1.5x" or "2.0x".'),
    ('train', 'groups', false, false, '3 or 8.'),
    ('train', 'epochs', false, false, 'Passes over the data.'),
    ('train', 'batch', false, false, 'Images a step.'),
    ('train', 'pixels', false, false, 'Height and width of the network''s input.'),
    ('train', 'seed', false, false, 'Same seed, same bytes.'),
    ('train', 'lr', false, false, 'Highest learning rate.'),
    ('train', 'min_lr', false, false, 'Learning rate at the end of the cosine.'),
    ('train', 'warm_up_epochs', false, false, 'Epochs in which the learning rate rises.'),
    ('train', 'schedule', false, false, '"cosine" or "constant".'),
    ('train', 'momentum', false, false, 'Of the optimiser.'),
    ('train', 'weight_decay', false, false, 'Not applied to the normalisations'' parameters.'),
    ('train', 'label_smoothing', false, false, '0 to 1.'),
    ('train', 'augmentation', false, false, '"auto", "none", "cifar" or "photographs".'),
    ('train', 'drop_remainder', false, false, 'Leaves out the last, smaller batch of an epoch.'),
    ('train', 'records', false, false, 'At most so many training records.'),
    ('train', 'validation_records', false, false, 'At most so many validation records.'),
    ('train', 'validation_share', false, false, 'Held back for validation if the data have no part for it.'),
    ('train', 'unreadable_limit', false, false, 'Share of unreadable images past which the run fails.'),
    ('train', 'checkpoint_steps', false, false, 'A checkpoint every so many steps as well.'),
    ('train', 'from', true, false, 'Model to start from (fine-tuning).'),
    ('train', 'publish_as', true, false, 'Name under which the new model is put among the models.'),
    ('evaluate', 'model', true, false, 'Model to measure; must be given here or in the daemon''s defaults.'),
    ('evaluate', 'dataset', true, true, 'Folder under datasets/.'),
    ('evaluate', 'batch', false, false, 'Images at a time.'),
    ('evaluate', 'records', false, false, 'At most so many records.'),
    ('evaluate', 'unreadable_limit', false, false, 'Share of unreadable images past which the run fails.'),
    ('classify', 'model', true, false, 'Model to ask; must be given here or in the daemon''s defaults.'),
    ('classify', 'images', true, true, 'Folder of images under datasets/.'),
    ('classify', 'batch', false, false, 'Images at a time.'),
    ('classify', 'top_k', false, false, 'How many classes an image.'),
    ('train', 'orientation', false, false, '"apply" or "ignore" the EXIF orientation of pictures.'),
    ('train', 'tolerate_truncated', false, false, 'Decodes what there is of pictures that end early.'),
    ('train', 'max_pixels', false, false, 'Pictures with more pixels are not decoded.'),
    ('train', 'decode_seconds', false, false, 'Pictures that need more processor time are given up.'),
    ('evaluate', 'orientation', false, false, '"apply" or "ignore" the EXIF orientation of pictures.'),
    ('evaluate', 'tolerate_truncated', false, false, 'Decodes what there is of pictures that end early.'),
    ('evaluate', 'max_pixels', false, false, 'Pictures with more pixels are not decoded.'),
    ('evaluate', 'decode_seconds', false, false, 'Pictures that need more processor time are given up.'),
    ('classify', 'orientation', false, false, '"apply" or "ignore" the EXIF orientation of pictures.'),
    ('classify', 'tolerate_truncated', false, false, 'Decodes what there is of pictures that end early.'),
    ('classify', 'max_pixels', false, false, 'Pictures with more pixels are not decoded.'),
    ('classify', 'decode_seconds', false, false, 'Pictures that need more processor time are given up.'),
    ('classify', 'abstain_below', false, false, 'Probability under which no class is named.'),
    ('classify', 'shards', false, false, 'Divides the files among so many jobs (2 to 1000), on any daemons; their results are merged into one CSV.');

CREATE FUNCTION shufflenet.check_arguments(wanted_kind text, wanted jsonb, dropped boolean) RETURNS void
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
    SELECT string_agg(quote_literal(a.name), ', ' ORDER BY a.name) INTO found
        FROM shufflenet.job_arguments AS a
        WHERE a.kind = wanted_kind AND a.is_name AND wanted ? a.name AND wanted -> a.name <> 'null'
            AND (jsonb_typeof(wanted -> a.name) <> 'string'
                OR wanted ->> a.name !~ '^[A-Za-z0-9][A-Za-z0-9._-]*$' OR length(wanted ->> a.name) > 255);
    IF found IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_args_names',
            MESSAGE = format('args of kind %s: %s is not a name', wanted_kind, found),
            HINT = 'Give the name of something under the daemon''s folders: letters, digits, ''.'', ''_'' and ''-'', beginning with a letter or a digit; never a path.';
    END IF;
    IF wanted ? 'shards' AND (dropped OR wanted ->> 'shards' !~ '^[0-9]{1,4}$'
        OR (wanted ->> 'shards')::integer NOT BETWEEN 2 AND 1000) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_shards',
            MESSAGE = format('args of kind %s: shards is %s, wanted a whole number from 2 to 1000', wanted_kind,
                CASE WHEN dropped THEN 'given for a dropped folder' ELSE wanted ->> 'shards' END),
            HINT = 'Only a folder under datasets/, on a storage that all daemons share, can be divided.';
    END IF;
END $$;
COMMENT ON FUNCTION shufflenet.check_arguments IS 'Raises a sentence with a hint if a job of this kind could not be run with these args.';

-- Whether the role that connected may see and steer the jobs of `submitter`.
CREATE FUNCTION shufflenet.may_steer(submitter text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT submitter = session_user OR EXISTS (SELECT FROM pg_roles AS r
        WHERE r.rolname IN ('shufflenet_owner', 'shufflenet_worker', 'shufflenet_operator')
            AND pg_has_role(session_user, r.oid, 'MEMBER'))
        OR (SELECT pg_has_role(session_user, c.relowner, 'MEMBER') FROM pg_class AS c
            WHERE c.oid = 'shufflenet.jobs'::regclass)
$$;
COMMENT ON FUNCTION shufflenet.may_steer IS 'Whether the connected role may see and steer jobs submitted by this role.';

CREATE FUNCTION shufflenet.check_job() RETURNS trigger
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
    IF NOT isfinite(NEW.run_at) OR NEW.run_at > now() + interval '10 years' THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'jobs_run_at_is_a_time',
            MESSAGE = format('run_at is %s, wanted a time within ten years', NEW.run_at),
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
CREATE TRIGGER jobs_check BEFORE INSERT OR UPDATE OF kind, args, name, priority ON shufflenet.jobs
    FOR EACH ROW EXECUTE FUNCTION shufflenet.check_job();

CREATE FUNCTION shufflenet.submit(
    kind text, args jsonb DEFAULT '{}', name text DEFAULT NULL, priority integer DEFAULT 0,
    run_at timestamptz DEFAULT NULL, unique_key text DEFAULT NULL, queue text DEFAULT 'default',
    max_attempts integer DEFAULT 3, timeout interval DEFAULT NULL, after bigint[] DEFAULT NULL,
    concurrency_key text DEFAULT NULL, cores integer DEFAULT NULL, memory_limit bigint DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    made bigint;
    submitter text;
BEGIN
    LOOP
        INSERT INTO shufflenet.jobs (kind, args, name, priority, run_at, unique_key, queue, max_attempts, timeout, after,
            concurrency_key, cores, memory_limit)
        VALUES (submit.kind, submit.args, submit.name, submit.priority, coalesce(submit.run_at, now()),
            submit.unique_key, submit.queue, submit.max_attempts, submit.timeout, submit.after, submit.concurrency_key,
            submit.cores, submit.memory_limit)
        ON CONFLICT DO NOTHING
        RETURNING id INTO made;
        IF made IS NULL THEN
            SELECT j.id, j.submitted_by INTO made, submitter FROM shufflenet.jobs AS j
                WHERE j.unique_key = submit.unique_key AND j.state IN ('available', 'running', 'held');
            IF made IS NOT NULL AND NOT shufflenet.may_steer(submitter) THEN
                RAISE EXCEPTION USING ERRCODE = 'unique_violation', CONSTRAINT = 'jobs_unique_key',
                    MESSAGE = format('unique_key %L belongs to an unfinished job of somebody else', submit.unique_key),
                    HINT = 'Choose another key.';
            END IF;
        END IF;
        -- Neither made nor found: the job with this key ended between the two statements. Once more.
        EXIT WHEN made IS NOT NULL;
    END LOOP;
    RETURN made;
END $$;
COMMENT ON FUNCTION shufflenet.submit IS 'Makes a job and returns its id; with a unique_key that an unfinished job has, returns that one''s.';
