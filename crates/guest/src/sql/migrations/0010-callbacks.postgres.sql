-- Whom a client has told when its job ends, and how far that is. All of it is in the job's row, so it is due in the statement that ends the job,
-- and gone with it.

-- callback_state: waiting, pending, delivered or failed; nothing where nobody is told. callback_due_at_ms: when it may be sent; while a worker is at
-- it, when another may. callback_token: whose it is meanwhile. callback_status, callback_error: what the last attempt was answered, or why it was not.
ALTER TABLE thumbs_jobs ADD COLUMN IF NOT EXISTS callback_url TEXT, ADD COLUMN IF NOT EXISTS callback_state TEXT COLLATE "C",
    ADD COLUMN IF NOT EXISTS callback_due_at_ms BIGINT, ADD COLUMN IF NOT EXISTS callback_token TEXT COLLATE "C",
    ADD COLUMN IF NOT EXISTS callback_attempts BIGINT NOT NULL DEFAULT 0, ADD COLUMN IF NOT EXISTS callback_status BIGINT,
    ADD COLUMN IF NOT EXISTS callback_error TEXT, ADD COLUMN IF NOT EXISTS callback_delivered_at_ms BIGINT;

CREATE INDEX IF NOT EXISTS thumbs_jobs_callbacks ON thumbs_jobs (callback_due_at_ms) WHERE callback_due_at_ms IS NOT NULL;

-- Whatever ends the job, a program of before among it. One that is tried again is told of when it ends again.
CREATE OR REPLACE FUNCTION thumbs_callback_due() RETURNS trigger LANGUAGE plpgsql AS $callback_due$
BEGIN
    NEW.callback_state := CASE NEW.status WHEN 'processing' THEN 'waiting' ELSE 'pending' END;
    NEW.callback_due_at_ms := CASE NEW.status WHEN 'processing' THEN NULL ELSE NEW.updated_at_ms END;
    NEW.callback_token := NULL;
    NEW.callback_attempts := 0;
    NEW.callback_status := NULL;
    NEW.callback_error := NULL;
    NEW.callback_delivered_at_ms := NULL;
    RETURN NEW;
END
$callback_due$;

DROP TRIGGER IF EXISTS thumbs_callback_due ON thumbs_jobs;
CREATE TRIGGER thumbs_callback_due BEFORE UPDATE OF status ON thumbs_jobs FOR EACH ROW
WHEN (NEW.status <> OLD.status AND NEW.callback_url IS NOT NULL) EXECUTE FUNCTION thumbs_callback_due();

-- They are counted beside the jobs, under a status that no job has.
CREATE OR REPLACE FUNCTION thumbs_tally_callback() RETURNS trigger LANGUAGE plpgsql AS $tally_callback$
DECLARE
    own BIGINT := pg_backend_pid() % 16;
BEGIN
    PERFORM pg_advisory_xact_lock(1953001837, CAST(own AS INTEGER));
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO thumbs_tallies AS tally (slot, status, code, jobs) VALUES (own, 'callback', OLD.callback_state, -1)
        ON CONFLICT (slot, status, code) DO UPDATE SET jobs = tally.jobs - 1;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO thumbs_tallies AS tally (slot, status, code, jobs, entered) VALUES (own, 'callback', NEW.callback_state, 1, 1)
        ON CONFLICT (slot, status, code) DO UPDATE SET jobs = tally.jobs + 1, entered = tally.entered + 1;
    END IF;
    RETURN NULL;
END
$tally_callback$;

DROP TRIGGER IF EXISTS thumbs_tally_callback_created ON thumbs_jobs;
CREATE TRIGGER thumbs_tally_callback_created AFTER INSERT ON thumbs_jobs FOR EACH ROW
WHEN (NEW.callback_state IS NOT NULL) EXECUTE FUNCTION thumbs_tally_callback();

-- Of whatever column: it is the trigger above that changes the state when the job ends, not the statement.
DROP TRIGGER IF EXISTS thumbs_tally_callback_moved ON thumbs_jobs;
CREATE TRIGGER thumbs_tally_callback_moved AFTER UPDATE ON thumbs_jobs FOR EACH ROW
WHEN (NEW.callback_state <> OLD.callback_state) EXECUTE FUNCTION thumbs_tally_callback();

DROP TRIGGER IF EXISTS thumbs_tally_callback_gone ON thumbs_jobs;
CREATE TRIGGER thumbs_tally_callback_gone AFTER DELETE ON thumbs_jobs FOR EACH ROW
WHEN (OLD.callback_state IS NOT NULL) EXECUTE FUNCTION thumbs_tally_callback();

-- Programs of versions before go on beside it: they make no jobs with callbacks, and those that they end are due by the trigger.
INSERT INTO thumbs_schema (version, min_compatible) VALUES (10, 2);
