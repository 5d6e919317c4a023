-- What a job's life has beyond the making of its thumbnail: being tried again by somebody, how its attempts went, and an end, its own or that of
-- its original.

-- When somebody last had it tried again.
-- unless: SELECT 1 FROM pragma_table_info('thumbs_jobs') WHERE name = 'retried_at_ms'
ALTER TABLE thumbs_jobs ADD COLUMN retried_at_ms INTEGER;

-- Since when its original is kept no more.
-- unless: SELECT 1 FROM pragma_table_info('thumbs_jobs') WHERE name = 'source_gone_at_ms'
ALTER TABLE thumbs_jobs ADD COLUMN source_gone_at_ms INTEGER;

-- A line for each of the last attempts, oldest first.
-- unless: SELECT 1 FROM pragma_table_info('thumbs_jobs') WHERE name = 'history'
ALTER TABLE thumbs_jobs ADD COLUMN history TEXT;

-- Jobs that are done and have their original, by when they were done. Whoever is done has no due_at_ms.
CREATE INDEX IF NOT EXISTS thumbs_jobs_originals ON thumbs_jobs (updated_at_ms) WHERE source_gone_at_ms IS NULL AND due_at_ms IS NULL;

CREATE INDEX IF NOT EXISTS thumbs_jobs_failed ON thumbs_jobs (error_code, id) WHERE status = 'failed';

CREATE INDEX IF NOT EXISTS thumbs_jobs_owner_failed ON thumbs_jobs (owner, error_code, id) WHERE status = 'failed' AND owner <> '';

-- Blobs that no row names any more and that are to be deleted: the thumbnail with this digest, or with none the original. Triggers write it, in the
-- statement that takes the row or the original away: so however that ends, no blob is forgotten.
CREATE TABLE IF NOT EXISTS thumbs_garbage (
    job TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (job, sha256)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER IF NOT EXISTS thumbs_garbage_original AFTER DELETE ON thumbs_jobs WHEN OLD.source_gone_at_ms IS NULL BEGIN
    INSERT INTO thumbs_garbage (job, sha256) VALUES (OLD.id, '') ON CONFLICT DO NOTHING; END;

CREATE TRIGGER IF NOT EXISTS thumbs_garbage_thumbnail AFTER DELETE ON thumbs_jobs
WHEN json_valid(OLD.thumbnail) AND json_type(OLD.thumbnail, '$.sha256') = 'text' BEGIN
    INSERT INTO thumbs_garbage (job, sha256) VALUES (OLD.id, json_extract(OLD.thumbnail, '$.sha256')) ON CONFLICT DO NOTHING; END;

CREATE TRIGGER IF NOT EXISTS thumbs_garbage_source AFTER UPDATE OF source_gone_at_ms ON thumbs_jobs
WHEN OLD.source_gone_at_ms IS NULL AND NEW.source_gone_at_ms IS NOT NULL BEGIN
    INSERT INTO thumbs_garbage (job, sha256) VALUES (NEW.id, '') ON CONFLICT DO NOTHING; END;

-- Bytes of what was taken away again, beside those that came: their difference is what is kept.
-- unless: SELECT 1 FROM pragma_table_info('thumbs_tallies') WHERE name = 'source_bytes_gone'
ALTER TABLE thumbs_tallies ADD COLUMN source_bytes_gone INTEGER NOT NULL DEFAULT 0;

-- unless: SELECT 1 FROM pragma_table_info('thumbs_tallies') WHERE name = 'thumbnail_bytes_gone'
ALTER TABLE thumbs_tallies ADD COLUMN thumbnail_bytes_gone INTEGER NOT NULL DEFAULT 0;

CREATE TRIGGER IF NOT EXISTS thumbs_tally_gone AFTER DELETE ON thumbs_jobs BEGIN
    INSERT INTO thumbs_tallies (slot, status, code, source_bytes_gone, thumbnail_bytes_gone)
    VALUES (0, OLD.status, CASE OLD.status WHEN 'failed' THEN COALESCE(OLD.error_code, '') ELSE '' END,
        CASE WHEN OLD.source_gone_at_ms IS NULL AND json_valid(OLD.source) THEN COALESCE(CAST(json_extract(OLD.source, '$.bytes') AS INTEGER), 0) ELSE 0 END,
        CASE WHEN json_valid(OLD.thumbnail) THEN COALESCE(CAST(json_extract(OLD.thumbnail, '$.bytes') AS INTEGER), 0) ELSE 0 END)
    ON CONFLICT (slot, status, code) DO UPDATE SET source_bytes_gone = source_bytes_gone + excluded.source_bytes_gone,
        thumbnail_bytes_gone = thumbnail_bytes_gone + excluded.thumbnail_bytes_gone; END;

CREATE TRIGGER IF NOT EXISTS thumbs_tally_source_gone AFTER UPDATE OF source_gone_at_ms ON thumbs_jobs
WHEN OLD.source_gone_at_ms IS NULL AND NEW.source_gone_at_ms IS NOT NULL BEGIN
    INSERT INTO thumbs_tallies (slot, status, code, source_bytes_gone)
    VALUES (0, NEW.status, CASE NEW.status WHEN 'failed' THEN COALESCE(NEW.error_code, '') ELSE '' END,
        CASE WHEN json_valid(NEW.source) THEN COALESCE(CAST(json_extract(NEW.source, '$.bytes') AS INTEGER), 0) ELSE 0 END)
    ON CONFLICT (slot, status, code) DO UPDATE SET source_bytes_gone = source_bytes_gone + excluded.source_bytes_gone; END;

-- When somebody is to look next for what is kept no longer.
CREATE TABLE IF NOT EXISTS thumbs_sweeps (
    name TEXT NOT NULL PRIMARY KEY,
    due_at_ms INTEGER NOT NULL
) STRICT;

INSERT INTO thumbs_sweeps (name, due_at_ms) VALUES ('kept', 0) ON CONFLICT DO NOTHING;

-- Programs of version 5 go on beside it: they write no history and take nothing away.
INSERT INTO thumbs_schema (version, min_compatible) VALUES (6, 2) ON CONFLICT DO NOTHING;
