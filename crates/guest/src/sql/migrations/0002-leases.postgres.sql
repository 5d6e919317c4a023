-- Which programs may work with a schema, and finding a job by the worker that holds it.
-- The column fingerprint is neither written nor read from here on.
CREATE INDEX IF NOT EXISTS thumbs_jobs_lease ON thumbs_jobs (lease_token) WHERE lease_token IS NOT NULL;

-- A claim walks thumbs_jobs_due from its left end, past what finished jobs left there: that is to be cleaned up after some
-- thousand jobs, not after a fifth of the table.
ALTER TABLE thumbs_jobs SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);

ALTER TABLE thumbs_schema ADD COLUMN IF NOT EXISTS min_compatible BIGINT NOT NULL DEFAULT 1;

-- Programs of version 1 can't tell an additive migration from another, and stop at any.
INSERT INTO thumbs_schema (version, min_compatible) VALUES (2, 2);
