-- The rows that are the queue. Columns that end in _ms are milliseconds since 1970; options, source, thumbnail and cost are JSON.
CREATE TABLE IF NOT EXISTS thumbs_schema (version INTEGER PRIMARY KEY) STRICT;

CREATE TABLE IF NOT EXISTS thumbs_jobs (
    id TEXT NOT NULL PRIMARY KEY,
    status TEXT NOT NULL CHECK (status IN ('processing', 'succeeded', 'failed')),
    options TEXT NOT NULL,
    source TEXT NOT NULL,
    thumbnail TEXT,
    error_code TEXT,
    error_message TEXT,
    cost TEXT,
    attempts INTEGER NOT NULL,
    due_at_ms INTEGER,
    lease_token TEXT,
    woken_at_ms INTEGER,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    correlation_id TEXT NOT NULL,
    trace_parent TEXT,
    idempotency_key TEXT UNIQUE,
    fingerprint TEXT,
    CHECK ((status = 'processing') = (due_at_ms IS NOT NULL))
) STRICT;

-- Holds the open jobs alone, so the claim does not feel the finished ones. It asks for due_at_ms only: asked for the status as
-- well, SQLite would take the other index and sort.
CREATE INDEX IF NOT EXISTS thumbs_jobs_due ON thumbs_jobs (due_at_ms) WHERE due_at_ms IS NOT NULL;

CREATE INDEX IF NOT EXISTS thumbs_jobs_status ON thumbs_jobs (status, id);

INSERT INTO thumbs_schema (version) VALUES (1) ON CONFLICT DO NOTHING;
