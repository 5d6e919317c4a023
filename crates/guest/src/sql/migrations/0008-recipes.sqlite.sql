-- Thumbnails that are there already.

-- By what recipe a job succeeded: the digest of all that its thumbnail follows from.
-- unless: SELECT 1 FROM pragma_table_info('thumbs_jobs') WHERE name = 'recipe'
ALTER TABLE thumbs_jobs ADD COLUMN recipe TEXT;

CREATE INDEX IF NOT EXISTS thumbs_jobs_recipe ON thumbs_jobs (owner, recipe, id) WHERE recipe IS NOT NULL;

-- Jobs that succeeded without an attempt: they were given the thumbnail of another.
-- unless: SELECT 1 FROM pragma_table_info('thumbs_tallies') WHERE name = 'cached'
ALTER TABLE thumbs_tallies ADD COLUMN cached INTEGER NOT NULL DEFAULT 0;

CREATE TRIGGER IF NOT EXISTS thumbs_tally_cached AFTER UPDATE OF status ON thumbs_jobs
WHEN OLD.status = 'processing' AND NEW.status = 'succeeded' AND NEW.attempts = 0 BEGIN
    INSERT INTO thumbs_tallies (slot, status, code, cached) VALUES (0, NEW.status, '', 1)
    ON CONFLICT (slot, status, code) DO UPDATE SET cached = cached + 1; END;

-- Programs of versions before go on beside it: what they make is given to nobody else.
INSERT INTO thumbs_schema (version, min_compatible) VALUES (8, 2) ON CONFLICT DO NOTHING;
