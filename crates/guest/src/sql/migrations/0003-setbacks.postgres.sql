-- Attempts that the service itself failed, and gave back.
ALTER TABLE thumbs_jobs ADD COLUMN IF NOT EXISTS setbacks BIGINT NOT NULL DEFAULT 0;

-- Programs of version 2 go on beside it: they count every attempt, as they did.
INSERT INTO thumbs_schema (version, min_compatible) VALUES (3, 2);
