-- Whom a client has told when its job ends, and how far that is. All of it is in the job's row, so it is due in the statement that ends the job,
-- and gone with it.

-- unless: SELECT 1 FROM pragma_table_info('thumbs_jobs') WHERE name = 'callback_url'
ALTER TABLE thumbs_jobs ADD COLUMN callback_url TEXT;

-- waiting, pending, delivered or failed; nothing where nobody is told.
-- unless: SELECT 1 FROM pragma_table_info('thumbs_jobs') WHERE name = 'callback_state'
ALTER TABLE thumbs_jobs ADD COLUMN callback_state TEXT;

-- When it may be sent; while a worker is at it, when another may.
-- unless: SELECT 1 FROM pragma_table_info('thumbs_jobs') WHERE name = 'callback_due_at_ms'
ALTER TABLE thumbs_jobs ADD COLUMN callback_due_at_ms INTEGER;

-- Whose it is meanwhile.
-- unless: SELECT 1 FROM pragma_table_info('thumbs_jobs') WHERE name = 'callback_token'
ALTER TABLE thumbs_jobs ADD COLUMN callback_token TEXT;

-- unless: SELECT 1 FROM pragma_table_info('thumbs_jobs') WHERE name = 'callback_attempts'
ALTER TABLE thumbs_jobs ADD COLUMN callback_attempts INTEGER NOT NULL DEFAULT 0;

-- What the last attempt was answered, or why it was not.
-- unless: SELECT 1 FROM pragma_table_info('thumbs_jobs') WHERE name = 'callback_status'
ALTER TABLE thumbs_jobs ADD COLUMN callback_status INTEGER;

-- unless: SELECT 1 FROM pragma_table_info('thumbs_jobs') WHERE name = 'callback_error'
ALTER TABLE thumbs_jobs ADD COLUMN callback_error TEXT;

-- unless: SELECT 1 FROM pragma_table_info('thumbs_jobs') WHERE name = 'callback_delivered_at_ms'
ALTER TABLE thumbs_jobs ADD COLUMN callback_delivered_at_ms INTEGER;

CREATE INDEX IF NOT EXISTS thumbs_jobs_callbacks ON thumbs_jobs (callback_due_at_ms) WHERE callback_due_at_ms IS NOT NULL;

-- Whatever ends the job, a program of before among it. One that is tried again is told of when it ends again.
CREATE TRIGGER IF NOT EXISTS thumbs_callback_due AFTER UPDATE OF status ON thumbs_jobs
WHEN NEW.status <> OLD.status AND NEW.callback_url IS NOT NULL BEGIN
    UPDATE thumbs_jobs SET callback_state = CASE NEW.status WHEN 'processing' THEN 'waiting' ELSE 'pending' END,
        callback_due_at_ms = CASE NEW.status WHEN 'processing' THEN NULL ELSE NEW.updated_at_ms END,
        callback_token = NULL, callback_attempts = 0, callback_status = NULL, callback_error = NULL, callback_delivered_at_ms = NULL
    WHERE id = NEW.id; END;

-- They are counted beside the jobs, under a status that no job has.
CREATE TRIGGER IF NOT EXISTS thumbs_tally_callback_created AFTER INSERT ON thumbs_jobs WHEN NEW.callback_state IS NOT NULL BEGIN
    INSERT INTO thumbs_tallies (slot, status, code, jobs, entered) VALUES (0, 'callback', NEW.callback_state, 1, 1)
    ON CONFLICT (slot, status, code) DO UPDATE SET jobs = jobs + 1, entered = entered + 1; END;

CREATE TRIGGER IF NOT EXISTS thumbs_tally_callback_moved AFTER UPDATE OF callback_state ON thumbs_jobs
WHEN NEW.callback_state <> OLD.callback_state BEGIN
    INSERT INTO thumbs_tallies (slot, status, code, jobs, entered)
    VALUES (0, 'callback', OLD.callback_state, -1, 0), (0, 'callback', NEW.callback_state, 1, 1)
    ON CONFLICT (slot, status, code) DO UPDATE SET jobs = jobs + excluded.jobs, entered = entered + excluded.entered; END;

CREATE TRIGGER IF NOT EXISTS thumbs_tally_callback_gone AFTER DELETE ON thumbs_jobs WHEN OLD.callback_state IS NOT NULL BEGIN
    INSERT INTO thumbs_tallies (slot, status, code, jobs) VALUES (0, 'callback', OLD.callback_state, -1)
    ON CONFLICT (slot, status, code) DO UPDATE SET jobs = jobs - 1; END;

-- Programs of versions before go on beside it: they make no jobs with callbacks, and those that they end are due by the trigger.
INSERT INTO thumbs_schema (version, min_compatible) VALUES (10, 2) ON CONFLICT DO NOTHING;
