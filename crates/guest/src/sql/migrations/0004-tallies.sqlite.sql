-- What was counted of jobs: how many stand in which state, and what those took that came to an end. Triggers keep it, in the statement that
-- changes the job, so that it holds whatever that statement is, and reading it takes the same time with a thousand jobs and with a million.
-- No trigger may fail the statement that it belongs to: what it takes out of JSON counts as 0 where it is not there.
CREATE TABLE IF NOT EXISTS thumbs_tallies (
    slot INTEGER NOT NULL,
    status TEXT NOT NULL,
    code TEXT NOT NULL,
    jobs INTEGER NOT NULL DEFAULT 0,
    entered INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    source_bytes INTEGER NOT NULL DEFAULT 0,
    thumbnail_bytes INTEGER NOT NULL DEFAULT 0,
    turnaround_ms INTEGER NOT NULL DEFAULT 0,
    turnaround_le_100 INTEGER NOT NULL DEFAULT 0,
    turnaround_le_250 INTEGER NOT NULL DEFAULT 0,
    turnaround_le_500 INTEGER NOT NULL DEFAULT 0,
    turnaround_le_1000 INTEGER NOT NULL DEFAULT 0,
    turnaround_le_2500 INTEGER NOT NULL DEFAULT 0,
    turnaround_le_5000 INTEGER NOT NULL DEFAULT 0,
    turnaround_le_10000 INTEGER NOT NULL DEFAULT 0,
    turnaround_le_30000 INTEGER NOT NULL DEFAULT 0,
    turnaround_le_60000 INTEGER NOT NULL DEFAULT 0,
    turnaround_le_300000 INTEGER NOT NULL DEFAULT 0,
    work_ms INTEGER NOT NULL DEFAULT 0,
    work_le_10 INTEGER NOT NULL DEFAULT 0,
    work_le_25 INTEGER NOT NULL DEFAULT 0,
    work_le_50 INTEGER NOT NULL DEFAULT 0,
    work_le_100 INTEGER NOT NULL DEFAULT 0,
    work_le_250 INTEGER NOT NULL DEFAULT 0,
    work_le_500 INTEGER NOT NULL DEFAULT 0,
    work_le_1000 INTEGER NOT NULL DEFAULT 0,
    work_le_2500 INTEGER NOT NULL DEFAULT 0,
    work_le_5000 INTEGER NOT NULL DEFAULT 0,
    work_le_10000 INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (slot, status, code)
) STRICT;

CREATE TRIGGER IF NOT EXISTS thumbs_tally_created AFTER INSERT ON thumbs_jobs BEGIN
    INSERT INTO thumbs_tallies (slot, status, code, jobs, entered, source_bytes)
    VALUES (0, NEW.status, CASE NEW.status WHEN 'failed' THEN COALESCE(NEW.error_code, '') ELSE '' END, 1, 1,
        CASE WHEN json_valid(NEW.source) THEN COALESCE(CAST(json_extract(NEW.source, '$.bytes') AS INTEGER), 0) ELSE 0 END)
    ON CONFLICT (slot, status, code) DO UPDATE SET jobs = jobs + 1, entered = entered + 1, source_bytes = source_bytes + excluded.source_bytes; END;

CREATE TRIGGER IF NOT EXISTS thumbs_tally_left AFTER UPDATE OF status ON thumbs_jobs WHEN NEW.status <> OLD.status BEGIN
    INSERT INTO thumbs_tallies (slot, status, code, jobs) VALUES (0, OLD.status, CASE OLD.status WHEN 'failed' THEN COALESCE(OLD.error_code, '') ELSE '' END, -1)
    ON CONFLICT (slot, status, code) DO UPDATE SET jobs = jobs - 1; END;

CREATE TRIGGER IF NOT EXISTS thumbs_tally_again AFTER UPDATE OF status ON thumbs_jobs
WHEN NEW.status <> OLD.status AND NEW.status = 'processing' BEGIN
    INSERT INTO thumbs_tallies (slot, status, code, jobs) VALUES (0, NEW.status, '', 1)
    ON CONFLICT (slot, status, code) DO UPDATE SET jobs = jobs + 1; END;

CREATE TRIGGER IF NOT EXISTS thumbs_tally_ended AFTER UPDATE OF status ON thumbs_jobs
WHEN NEW.status <> OLD.status AND NEW.status <> 'processing' BEGIN
    INSERT INTO thumbs_tallies (
        slot, status, code, jobs, entered, attempts, source_bytes, thumbnail_bytes, turnaround_ms, turnaround_le_100,
        turnaround_le_250, turnaround_le_500, turnaround_le_1000, turnaround_le_2500, turnaround_le_5000, turnaround_le_10000,
        turnaround_le_30000, turnaround_le_60000, turnaround_le_300000, work_ms, work_le_10, work_le_25, work_le_50, work_le_100,
        work_le_250, work_le_500, work_le_1000, work_le_2500, work_le_5000, work_le_10000
    )
    SELECT 0, NEW.status, CASE NEW.status WHEN 'failed' THEN COALESCE(NEW.error_code, '') ELSE '' END, 1, 1, NEW.attempts, 0, thumbnail_bytes, turnaround,
        turnaround <= 100, turnaround <= 250, turnaround <= 500, turnaround <= 1000, turnaround <= 2500, turnaround <= 5000,
        turnaround <= 10000, turnaround <= 30000, turnaround <= 60000, turnaround <= 300000, work,
        work <= 10, work <= 25, work <= 50,
        work <= 100, work <= 250, work <= 500,
        work <= 1000, work <= 2500, work <= 5000,
        work <= 10000
    FROM (SELECT
        MAX(NEW.updated_at_ms - NEW.created_at_ms, 0) AS turnaround,
        CASE WHEN json_valid(NEW.cost) THEN COALESCE(CAST(json_extract(NEW.cost, '$.total_ms') AS INTEGER), 0) ELSE 0 END AS work,
        CASE WHEN json_valid(NEW.thumbnail) THEN COALESCE(CAST(json_extract(NEW.thumbnail, '$.bytes') AS INTEGER), 0) ELSE 0 END AS thumbnail_bytes)
    WHERE true
    ON CONFLICT (slot, status, code) DO UPDATE SET
        jobs = jobs + excluded.jobs, entered = entered + excluded.entered, attempts = attempts + excluded.attempts,
        source_bytes = source_bytes + excluded.source_bytes, thumbnail_bytes = thumbnail_bytes + excluded.thumbnail_bytes,
        turnaround_ms = turnaround_ms + excluded.turnaround_ms,
        turnaround_le_100 = turnaround_le_100 + excluded.turnaround_le_100,
        turnaround_le_250 = turnaround_le_250 + excluded.turnaround_le_250,
        turnaround_le_500 = turnaround_le_500 + excluded.turnaround_le_500,
        turnaround_le_1000 = turnaround_le_1000 + excluded.turnaround_le_1000,
        turnaround_le_2500 = turnaround_le_2500 + excluded.turnaround_le_2500,
        turnaround_le_5000 = turnaround_le_5000 + excluded.turnaround_le_5000,
        turnaround_le_10000 = turnaround_le_10000 + excluded.turnaround_le_10000,
        turnaround_le_30000 = turnaround_le_30000 + excluded.turnaround_le_30000,
        turnaround_le_60000 = turnaround_le_60000 + excluded.turnaround_le_60000,
        turnaround_le_300000 = turnaround_le_300000 + excluded.turnaround_le_300000, work_ms = work_ms + excluded.work_ms,
        work_le_10 = work_le_10 + excluded.work_le_10, work_le_25 = work_le_25 + excluded.work_le_25,
        work_le_50 = work_le_50 + excluded.work_le_50, work_le_100 = work_le_100 + excluded.work_le_100,
        work_le_250 = work_le_250 + excluded.work_le_250, work_le_500 = work_le_500 + excluded.work_le_500,
        work_le_1000 = work_le_1000 + excluded.work_le_1000, work_le_2500 = work_le_2500 + excluded.work_le_2500,
        work_le_5000 = work_le_5000 + excluded.work_le_5000, work_le_10000 = work_le_10000 + excluded.work_le_10000; END;

CREATE TRIGGER IF NOT EXISTS thumbs_tally_deleted AFTER DELETE ON thumbs_jobs BEGIN
    INSERT INTO thumbs_tallies (slot, status, code, jobs) VALUES (0, OLD.status, CASE OLD.status WHEN 'failed' THEN COALESCE(OLD.error_code, '') ELSE '' END, -1)
    ON CONFLICT (slot, status, code) DO UPDATE SET jobs = jobs - 1; END;

-- After the triggers: what changes meanwhile is counted here, and by them from then on.
-- What there is already. To count it by the index takes less than a second for a million; only failed jobs are looked at one by one.
INSERT INTO thumbs_tallies (slot, status, code, jobs)
SELECT 0, status, '', COUNT(*) FROM thumbs_jobs WHERE status IN ('processing', 'succeeded') GROUP BY status
UNION ALL
SELECT 0, status, COALESCE(error_code, ''), COUNT(*) FROM thumbs_jobs WHERE status = 'failed' GROUP BY status, COALESCE(error_code, '')
ON CONFLICT (slot, status, code) DO UPDATE SET jobs = excluded.jobs;

INSERT INTO thumbs_schema (version, min_compatible) VALUES (4, 2) ON CONFLICT DO NOTHING;
