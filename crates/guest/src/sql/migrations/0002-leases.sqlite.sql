-- Which programs may work with a schema, and finding a job by the worker that holds it.
-- The column fingerprint is neither written nor read from here on. It stays: to drop it would rewrite the table.

-- unless: SELECT 1 FROM pragma_table_info('thumbs_schema') WHERE name = 'min_compatible'
ALTER TABLE thumbs_schema ADD COLUMN min_compatible INTEGER NOT NULL DEFAULT 1;

CREATE INDEX IF NOT EXISTS thumbs_jobs_lease ON thumbs_jobs (lease_token) WHERE lease_token IS NOT NULL;

-- Programs of version 1 can't tell an additive migration from another, and stop at any.
INSERT INTO thumbs_schema (version, min_compatible) VALUES (2, 2) ON CONFLICT DO NOTHING;
