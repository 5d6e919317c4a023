-- How often clients ask.

-- Buckets of tokens: at which microsecond since 1970 each is full again. One that is full need not be there.
-- Unlogged: nobody waits for a disk, and after a crash all are full.
CREATE UNLOGGED TABLE IF NOT EXISTS thumbs_buckets (
    bucket TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    full_at_us BIGINT NOT NULL
);

CREATE INDEX IF NOT EXISTS thumbs_buckets_full ON thumbs_buckets (full_at_us);

-- Programs of version 6 go on beside it: they count nobody's requests.
INSERT INTO thumbs_schema (version, min_compatible) VALUES (7, 2);
