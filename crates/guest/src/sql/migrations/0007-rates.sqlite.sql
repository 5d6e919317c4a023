-- How often clients ask.

-- Buckets of tokens: at which microsecond since 1970 each is full again. One that is full need not be there.
CREATE TABLE IF NOT EXISTS thumbs_buckets (
    bucket TEXT NOT NULL PRIMARY KEY,
    full_at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS thumbs_buckets_full ON thumbs_buckets (full_at_us);

-- Programs of version 6 go on beside it: they count nobody's requests.
INSERT INTO thumbs_schema (version, min_compatible) VALUES (7, 2) ON CONFLICT DO NOTHING;
