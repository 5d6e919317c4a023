-- Jobs that made more than one thumbnail. Their JSON has, beside what the first is, `more`: the digests of the others, and `more_bytes`: how many bytes
-- these have in all.

-- As many as there can be: 8 variants, each also as WebP, without the first of all.
CREATE TRIGGER IF NOT EXISTS thumbs_garbage_variants AFTER DELETE ON thumbs_jobs
WHEN json_valid(OLD.thumbnail) AND json_type(OLD.thumbnail, '$.more') = 'array' BEGIN
    INSERT INTO thumbs_garbage (job, sha256) SELECT OLD.id, digest FROM (
        SELECT json_extract(OLD.thumbnail, '$.more[0]') AS digest UNION ALL
        SELECT json_extract(OLD.thumbnail, '$.more[1]') UNION ALL
        SELECT json_extract(OLD.thumbnail, '$.more[2]') UNION ALL
        SELECT json_extract(OLD.thumbnail, '$.more[3]') UNION ALL
        SELECT json_extract(OLD.thumbnail, '$.more[4]') UNION ALL
        SELECT json_extract(OLD.thumbnail, '$.more[5]') UNION ALL
        SELECT json_extract(OLD.thumbnail, '$.more[6]') UNION ALL
        SELECT json_extract(OLD.thumbnail, '$.more[7]') UNION ALL
        SELECT json_extract(OLD.thumbnail, '$.more[8]') UNION ALL
        SELECT json_extract(OLD.thumbnail, '$.more[9]') UNION ALL
        SELECT json_extract(OLD.thumbnail, '$.more[10]') UNION ALL
        SELECT json_extract(OLD.thumbnail, '$.more[11]') UNION ALL
        SELECT json_extract(OLD.thumbnail, '$.more[12]') UNION ALL
        SELECT json_extract(OLD.thumbnail, '$.more[13]') UNION ALL
        SELECT json_extract(OLD.thumbnail, '$.more[14]')
    ) WHERE digest IS NOT NULL ON CONFLICT DO NOTHING; END;

CREATE TRIGGER IF NOT EXISTS thumbs_tally_variants AFTER UPDATE OF status ON thumbs_jobs
WHEN NEW.status <> OLD.status AND NEW.status = 'succeeded' AND json_valid(NEW.thumbnail) AND json_type(NEW.thumbnail, '$.more_bytes') = 'integer' BEGIN
    INSERT INTO thumbs_tallies (slot, status, code, thumbnail_bytes) VALUES (0, NEW.status, '', json_extract(NEW.thumbnail, '$.more_bytes'))
    ON CONFLICT (slot, status, code) DO UPDATE SET thumbnail_bytes = thumbnail_bytes + excluded.thumbnail_bytes; END;

CREATE TRIGGER IF NOT EXISTS thumbs_tally_variants_gone AFTER DELETE ON thumbs_jobs
WHEN json_valid(OLD.thumbnail) AND json_type(OLD.thumbnail, '$.more_bytes') = 'integer' BEGIN
    INSERT INTO thumbs_tallies (slot, status, code, thumbnail_bytes_gone) VALUES (0, OLD.status, '', json_extract(OLD.thumbnail, '$.more_bytes'))
    ON CONFLICT (slot, status, code) DO UPDATE SET thumbnail_bytes_gone = thumbnail_bytes_gone + excluded.thumbnail_bytes_gone; END;

-- Programs of versions before go on beside it. They know no variants, and make the first thumbnail alone where they come upon such a job.
INSERT INTO thumbs_schema (version, min_compatible) VALUES (11, 2) ON CONFLICT DO NOTHING;
