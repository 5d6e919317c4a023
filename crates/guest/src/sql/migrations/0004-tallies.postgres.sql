-- What was counted of jobs: how many stand in which state, and what those took that came to an end. Triggers keep it, in the statement that
-- changes the job, so that it holds whatever that statement is, and reading it takes the same time with a thousand jobs and with a million.
-- No trigger may fail the statement that it belongs to: what it takes out of JSON counts as 0 where it is not there.
-- Each of 16 slots has its own row for a state, chosen by the session, so that those who work at the same time do not wait for each other; a
-- state's count is the sum over the slots. A session takes its slot for itself before it counts, after it has all the jobs that it changes: so
-- two that change several jobs at a time can't wait for each other in a circle.
CREATE TABLE IF NOT EXISTS thumbs_tallies (
    slot BIGINT NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
    jobs BIGINT NOT NULL DEFAULT 0,
    entered BIGINT NOT NULL DEFAULT 0,
    attempts BIGINT NOT NULL DEFAULT 0,
    source_bytes BIGINT NOT NULL DEFAULT 0,
    thumbnail_bytes BIGINT NOT NULL DEFAULT 0,
    turnaround_ms BIGINT NOT NULL DEFAULT 0,
    turnaround_le_100 BIGINT NOT NULL DEFAULT 0,
    turnaround_le_250 BIGINT NOT NULL DEFAULT 0,
    turnaround_le_500 BIGINT NOT NULL DEFAULT 0,
    turnaround_le_1000 BIGINT NOT NULL DEFAULT 0,
    turnaround_le_2500 BIGINT NOT NULL DEFAULT 0,
    turnaround_le_5000 BIGINT NOT NULL DEFAULT 0,
    turnaround_le_10000 BIGINT NOT NULL DEFAULT 0,
    turnaround_le_30000 BIGINT NOT NULL DEFAULT 0,
    turnaround_le_60000 BIGINT NOT NULL DEFAULT 0,
    turnaround_le_300000 BIGINT NOT NULL DEFAULT 0,
    work_ms BIGINT NOT NULL DEFAULT 0,
    work_le_10 BIGINT NOT NULL DEFAULT 0,
    work_le_25 BIGINT NOT NULL DEFAULT 0,
    work_le_50 BIGINT NOT NULL DEFAULT 0,
    work_le_100 BIGINT NOT NULL DEFAULT 0,
    work_le_250 BIGINT NOT NULL DEFAULT 0,
    work_le_500 BIGINT NOT NULL DEFAULT 0,
    work_le_1000 BIGINT NOT NULL DEFAULT 0,
    work_le_2500 BIGINT NOT NULL DEFAULT 0,
    work_le_5000 BIGINT NOT NULL DEFAULT 0,
    work_le_10000 BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (slot, status, code)
);

CREATE OR REPLACE FUNCTION thumbs_tally() RETURNS trigger LANGUAGE plpgsql AS $tally$
DECLARE
    own BIGINT := pg_backend_pid() % 16;
    turnaround BIGINT;
    work BIGINT;
BEGIN
    PERFORM pg_advisory_xact_lock(1953001837, CAST(own AS INTEGER));
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO thumbs_tallies AS tally (slot, status, code, jobs) VALUES (own, OLD.status, CASE OLD.status WHEN 'failed' THEN COALESCE(OLD.error_code, '') ELSE '' END, -1)
        ON CONFLICT (slot, status, code) DO UPDATE SET jobs = tally.jobs - 1;
    END IF;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO thumbs_tallies AS tally (slot, status, code, jobs, entered, source_bytes)
        VALUES (own, NEW.status, CASE NEW.status WHEN 'failed' THEN COALESCE(NEW.error_code, '') ELSE '' END, 1, 1,
            COALESCE(CAST(substring(NEW.source FROM '"bytes":([0-9]{1,15})') AS BIGINT), 0))
        ON CONFLICT (slot, status, code) DO UPDATE SET jobs = tally.jobs + 1, entered = tally.entered + 1,
            source_bytes = tally.source_bytes + excluded.source_bytes;
    ELSIF TG_OP = 'UPDATE' AND NEW.status = 'processing' THEN
        INSERT INTO thumbs_tallies AS tally (slot, status, code, jobs) VALUES (own, NEW.status, '', 1)
        ON CONFLICT (slot, status, code) DO UPDATE SET jobs = tally.jobs + 1;
    ELSIF TG_OP = 'UPDATE' THEN
        turnaround := GREATEST(NEW.updated_at_ms - NEW.created_at_ms, 0);
        work := COALESCE(CAST(substring(NEW.cost FROM '"total_ms":([0-9]{1,15})') AS BIGINT), 0);
        INSERT INTO thumbs_tallies AS tally (
            slot, status, code, jobs, entered, attempts, source_bytes, thumbnail_bytes, turnaround_ms, turnaround_le_100,
            turnaround_le_250, turnaround_le_500, turnaround_le_1000, turnaround_le_2500, turnaround_le_5000,
            turnaround_le_10000, turnaround_le_30000, turnaround_le_60000, turnaround_le_300000, work_ms, work_le_10, work_le_25,
            work_le_50, work_le_100, work_le_250, work_le_500, work_le_1000, work_le_2500, work_le_5000, work_le_10000
        ) VALUES (own, NEW.status, CASE NEW.status WHEN 'failed' THEN COALESCE(NEW.error_code, '') ELSE '' END, 1, 1, NEW.attempts, 0,
            COALESCE(CAST(substring(NEW.thumbnail FROM '"bytes":([0-9]{1,15})') AS BIGINT), 0), turnaround,
            CAST(turnaround <= 100 AS INTEGER), CAST(turnaround <= 250 AS INTEGER), CAST(turnaround <= 500 AS INTEGER),
            CAST(turnaround <= 1000 AS INTEGER), CAST(turnaround <= 2500 AS INTEGER), CAST(turnaround <= 5000 AS INTEGER),
            CAST(turnaround <= 10000 AS INTEGER), CAST(turnaround <= 30000 AS INTEGER), CAST(turnaround <= 60000 AS INTEGER),
            CAST(turnaround <= 300000 AS INTEGER), work,
            CAST(work <= 10 AS INTEGER), CAST(work <= 25 AS INTEGER), CAST(work <= 50 AS INTEGER), CAST(work <= 100 AS INTEGER),
            CAST(work <= 250 AS INTEGER), CAST(work <= 500 AS INTEGER), CAST(work <= 1000 AS INTEGER),
            CAST(work <= 2500 AS INTEGER), CAST(work <= 5000 AS INTEGER), CAST(work <= 10000 AS INTEGER))
        ON CONFLICT (slot, status, code) DO UPDATE SET
            jobs = tally.jobs + excluded.jobs, entered = tally.entered + excluded.entered,
            attempts = tally.attempts + excluded.attempts, source_bytes = tally.source_bytes + excluded.source_bytes,
            thumbnail_bytes = tally.thumbnail_bytes + excluded.thumbnail_bytes,
            turnaround_ms = tally.turnaround_ms + excluded.turnaround_ms,
            turnaround_le_100 = tally.turnaround_le_100 + excluded.turnaround_le_100,
            turnaround_le_250 = tally.turnaround_le_250 + excluded.turnaround_le_250,
            turnaround_le_500 = tally.turnaround_le_500 + excluded.turnaround_le_500,
            turnaround_le_1000 = tally.turnaround_le_1000 + excluded.turnaround_le_1000,
            turnaround_le_2500 = tally.turnaround_le_2500 + excluded.turnaround_le_2500,
            turnaround_le_5000 = tally.turnaround_le_5000 + excluded.turnaround_le_5000,
            turnaround_le_10000 = tally.turnaround_le_10000 + excluded.turnaround_le_10000,
            turnaround_le_30000 = tally.turnaround_le_30000 + excluded.turnaround_le_30000,
            turnaround_le_60000 = tally.turnaround_le_60000 + excluded.turnaround_le_60000,
            turnaround_le_300000 = tally.turnaround_le_300000 + excluded.turnaround_le_300000,
            work_ms = tally.work_ms + excluded.work_ms, work_le_10 = tally.work_le_10 + excluded.work_le_10,
            work_le_25 = tally.work_le_25 + excluded.work_le_25, work_le_50 = tally.work_le_50 + excluded.work_le_50,
            work_le_100 = tally.work_le_100 + excluded.work_le_100, work_le_250 = tally.work_le_250 + excluded.work_le_250,
            work_le_500 = tally.work_le_500 + excluded.work_le_500, work_le_1000 = tally.work_le_1000 + excluded.work_le_1000,
            work_le_2500 = tally.work_le_2500 + excluded.work_le_2500, work_le_5000 = tally.work_le_5000 + excluded.work_le_5000,
            work_le_10000 = tally.work_le_10000 + excluded.work_le_10000;
    END IF;
    RETURN NULL;
END
$tally$;

DROP TRIGGER IF EXISTS thumbs_tally_created ON thumbs_jobs;
CREATE TRIGGER thumbs_tally_created AFTER INSERT OR DELETE ON thumbs_jobs FOR EACH ROW EXECUTE FUNCTION thumbs_tally();

DROP TRIGGER IF EXISTS thumbs_tally_moved ON thumbs_jobs;
CREATE TRIGGER thumbs_tally_moved AFTER UPDATE OF status ON thumbs_jobs FOR EACH ROW WHEN (NEW.status <> OLD.status) EXECUTE FUNCTION thumbs_tally();

UPDATE thumbs_tallies SET jobs = 0;
-- What there is already. To count it by the index takes less than a second for a million; only failed jobs are looked at one by one.
INSERT INTO thumbs_tallies (slot, status, code, jobs)
SELECT 0, status, '', COUNT(*) FROM thumbs_jobs WHERE status IN ('processing', 'succeeded') GROUP BY status
UNION ALL
SELECT 0, status, COALESCE(error_code, ''), COUNT(*) FROM thumbs_jobs WHERE status = 'failed' GROUP BY status, COALESCE(error_code, '')
ON CONFLICT (slot, status, code) DO UPDATE SET jobs = excluded.jobs;

INSERT INTO thumbs_schema (version, min_compatible) VALUES (4, 2);
