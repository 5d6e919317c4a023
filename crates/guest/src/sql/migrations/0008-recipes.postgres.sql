-- Thumbnails that are there already.

-- By what recipe a job succeeded: the digest of all that its thumbnail follows from.
ALTER TABLE thumbs_jobs ADD COLUMN IF NOT EXISTS recipe TEXT COLLATE "C";

CREATE INDEX IF NOT EXISTS thumbs_jobs_recipe ON thumbs_jobs (owner, recipe, id) WHERE recipe IS NOT NULL;

-- Jobs that succeeded without an attempt: they were given the thumbnail of another.
ALTER TABLE thumbs_tallies ADD COLUMN IF NOT EXISTS cached BIGINT NOT NULL DEFAULT 0;

CREATE OR REPLACE FUNCTION thumbs_tally_cached() RETURNS trigger LANGUAGE plpgsql AS $tally_cached$
DECLARE
    own BIGINT := pg_backend_pid() % 16;
BEGIN
    PERFORM pg_advisory_xact_lock(1953001837, CAST(own AS INTEGER));
    INSERT INTO thumbs_tallies AS tally (slot, status, code, cached) VALUES (own, NEW.status, '', 1)
    ON CONFLICT (slot, status, code) DO UPDATE SET cached = tally.cached + 1;
    RETURN NULL;
END
$tally_cached$;

DROP TRIGGER IF EXISTS thumbs_cached ON thumbs_jobs;
CREATE TRIGGER thumbs_cached AFTER UPDATE OF status ON thumbs_jobs FOR EACH ROW
WHEN (OLD.status = 'processing' AND NEW.status = 'succeeded' AND NEW.attempts = 0) EXECUTE FUNCTION thumbs_tally_cached();

-- Programs of versions before go on beside it: what they make is given to nobody else.
INSERT INTO thumbs_schema (version, min_compatible) VALUES (8, 2);
