-- Of which batch a job is, which of its images it was made of (from 1), and what the client called the file; nothing where it came alone.
ALTER TABLE thumbs_jobs ADD COLUMN IF NOT EXISTS batch TEXT COLLATE "C", ADD COLUMN IF NOT EXISTS batch_part BIGINT,
    ADD COLUMN IF NOT EXISTS file_name TEXT;

-- Without the jobs that came alone.
CREATE INDEX IF NOT EXISTS thumbs_jobs_batch ON thumbs_jobs (batch, batch_part) WHERE batch IS NOT NULL;

-- Programs of versions before go on beside it: they make no batches.
INSERT INTO thumbs_schema (version, min_compatible) VALUES (9, 2);
