-- What a job's life has beyond the making of its thumbnail: being tried again by somebody, how its attempts went, and an end, its own or that of
-- its original.

-- retried_at_ms: when somebody last had it tried again. source_gone_at_ms: since when its original is kept no more. history: a line for each of the
-- last attempts, oldest first.
ALTER TABLE thumbs_jobs ADD COLUMN IF NOT EXISTS retried_at_ms BIGINT, ADD COLUMN IF NOT EXISTS source_gone_at_ms BIGINT,
    ADD COLUMN IF NOT EXISTS history TEXT;

-- Jobs that are done and have their original, by when they were done. Whoever is done has no due_at_ms.
CREATE INDEX IF NOT EXISTS thumbs_jobs_originals ON thumbs_jobs (updated_at_ms) WHERE source_gone_at_ms IS NULL AND due_at_ms IS NULL;

CREATE INDEX IF NOT EXISTS thumbs_jobs_failed ON thumbs_jobs (error_code, id) WHERE status = 'failed';

CREATE INDEX IF NOT EXISTS thumbs_jobs_owner_failed ON thumbs_jobs (owner, error_code, id) WHERE status = 'failed' AND owner <> '';

-- Blobs that no row names any more and that are to be deleted: the thumbnail with this digest, or with none the original. Triggers write it, in the
-- statement that takes the row or the original away: so however that ends, no blob is forgotten.
CREATE TABLE IF NOT EXISTS thumbs_garbage (
    job TEXT COLLATE "C" NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (job, sha256)
);

-- Bytes of what was taken away again, beside those that came: their difference is what is kept.
ALTER TABLE thumbs_tallies ADD COLUMN IF NOT EXISTS source_bytes_gone BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS thumbnail_bytes_gone BIGINT NOT NULL DEFAULT 0;

CREATE OR REPLACE FUNCTION thumbs_take_away() RETURNS trigger LANGUAGE plpgsql AS $take_away$
DECLARE
    own BIGINT := pg_backend_pid() % 16;
    digest TEXT := substring(OLD.thumbnail FROM '"sha256":"([0-9a-f]{64})"');
    source_bytes BIGINT := 0;
    thumbnail_bytes BIGINT := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(1953001837, CAST(own AS INTEGER));
    IF OLD.source_gone_at_ms IS NULL THEN
        source_bytes := COALESCE(CAST(substring(OLD.source FROM '"bytes":([0-9]{1,15})') AS BIGINT), 0);
        INSERT INTO thumbs_garbage (job, sha256) VALUES (OLD.id, '') ON CONFLICT DO NOTHING;
    END IF;
    IF TG_OP = 'DELETE' AND digest IS NOT NULL THEN
        INSERT INTO thumbs_garbage (job, sha256) VALUES (OLD.id, digest) ON CONFLICT DO NOTHING;
    END IF;
    IF TG_OP = 'DELETE' THEN
        thumbnail_bytes := COALESCE(CAST(substring(OLD.thumbnail FROM '"bytes":([0-9]{1,15})') AS BIGINT), 0);
    END IF;
    INSERT INTO thumbs_tallies AS tally (slot, status, code, source_bytes_gone, thumbnail_bytes_gone)
    VALUES (own, OLD.status, CASE OLD.status WHEN 'failed' THEN COALESCE(OLD.error_code, '') ELSE '' END, source_bytes, thumbnail_bytes)
    ON CONFLICT (slot, status, code) DO UPDATE SET source_bytes_gone = tally.source_bytes_gone + excluded.source_bytes_gone,
        thumbnail_bytes_gone = tally.thumbnail_bytes_gone + excluded.thumbnail_bytes_gone;
    RETURN NULL;
END
$take_away$;

DROP TRIGGER IF EXISTS thumbs_gone ON thumbs_jobs;
CREATE TRIGGER thumbs_gone AFTER DELETE ON thumbs_jobs FOR EACH ROW EXECUTE FUNCTION thumbs_take_away();

DROP TRIGGER IF EXISTS thumbs_source_gone ON thumbs_jobs;
CREATE TRIGGER thumbs_source_gone AFTER UPDATE OF source_gone_at_ms ON thumbs_jobs FOR EACH ROW
WHEN (OLD.source_gone_at_ms IS NULL AND NEW.source_gone_at_ms IS NOT NULL) EXECUTE FUNCTION thumbs_take_away();

-- When somebody is to look next for what is kept no longer.
CREATE TABLE IF NOT EXISTS thumbs_sweeps (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    due_at_ms BIGINT NOT NULL
);

INSERT INTO thumbs_sweeps (name, due_at_ms) VALUES ('kept', 0) ON CONFLICT DO NOTHING;

-- Programs of version 5 go on beside it: they write no history and take nothing away.
INSERT INTO thumbs_schema (version, min_compatible) VALUES (6, 2);
