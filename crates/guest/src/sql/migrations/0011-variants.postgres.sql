-- Jobs that made more than one thumbnail. Their JSON has, beside what the first is, `more`: the digests of the others, and `more_bytes`: how many bytes
-- these have in all.

CREATE OR REPLACE FUNCTION thumbs_more() RETURNS trigger LANGUAGE plpgsql AS $more$
DECLARE
    own BIGINT := pg_backend_pid() % 16;
BEGIN
    PERFORM pg_advisory_xact_lock(1953001837, CAST(own AS INTEGER));
    IF TG_OP = 'DELETE' THEN
        INSERT INTO thumbs_garbage (job, sha256)
        SELECT DISTINCT OLD.id, digest[1] FROM regexp_matches(OLD.thumbnail, '"sha256":"([0-9a-f]{64})"', 'g') AS digest
        ON CONFLICT DO NOTHING;
        INSERT INTO thumbs_tallies AS tally (slot, status, code, thumbnail_bytes_gone)
        VALUES (own, OLD.status, '', CAST(substring(OLD.thumbnail FROM '"more_bytes":([0-9]{1,15})') AS BIGINT))
        ON CONFLICT (slot, status, code) DO UPDATE SET thumbnail_bytes_gone = tally.thumbnail_bytes_gone + excluded.thumbnail_bytes_gone;
    ELSE
        INSERT INTO thumbs_tallies AS tally (slot, status, code, thumbnail_bytes)
        VALUES (own, NEW.status, '', CAST(substring(NEW.thumbnail FROM '"more_bytes":([0-9]{1,15})') AS BIGINT))
        ON CONFLICT (slot, status, code) DO UPDATE SET thumbnail_bytes = tally.thumbnail_bytes + excluded.thumbnail_bytes;
    END IF;
    RETURN NULL;
END
$more$;

DROP TRIGGER IF EXISTS thumbs_more_gone ON thumbs_jobs;
CREATE TRIGGER thumbs_more_gone AFTER DELETE ON thumbs_jobs FOR EACH ROW
WHEN (OLD.thumbnail ~ '"more_bytes":[0-9]') EXECUTE FUNCTION thumbs_more();

DROP TRIGGER IF EXISTS thumbs_more_made ON thumbs_jobs;
CREATE TRIGGER thumbs_more_made AFTER UPDATE OF status ON thumbs_jobs FOR EACH ROW
WHEN (OLD.status <> NEW.status AND NEW.status = 'succeeded' AND NEW.thumbnail ~ '"more_bytes":[0-9]') EXECUTE FUNCTION thumbs_more();

-- Programs of versions before go on beside it. They know no variants, and make the first thumbnail alone where they come upon such a job.
INSERT INTO thumbs_schema (version, min_compatible) VALUES (11, 2);
