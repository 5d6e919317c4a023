-- The rows that are the queue. Columns that end in _ms are milliseconds since 1970; options, source, thumbnail and cost are JSON.
-- Ids compare by bytes (COLLATE "C"), as they do everywhere else. The table thumbs_schema is made before any migration.
CREATE TABLE thumbs_jobs (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('processing', 'succeeded', 'failed')),
    options TEXT NOT NULL,
    source TEXT NOT NULL,
    thumbnail TEXT,
    error_code TEXT,
    error_message TEXT,
    cost TEXT,
    attempts BIGINT NOT NULL,
    due_at_ms BIGINT,
    lease_token TEXT,
    woken_at_ms BIGINT,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    correlation_id TEXT NOT NULL,
    trace_parent TEXT,
    idempotency_key TEXT COLLATE "C" UNIQUE,
    fingerprint TEXT,
    CHECK ((status = 'processing') = (due_at_ms IS NOT NULL))
);

-- Holds the open jobs alone, so the claim does not feel the finished ones.
CREATE INDEX thumbs_jobs_due ON thumbs_jobs (due_at_ms) WHERE due_at_ms IS NOT NULL;

CREATE INDEX thumbs_jobs_status ON thumbs_jobs (status, id);

INSERT INTO thumbs_schema (version) VALUES (1);
