-- Whose a job is: the name of the key that made it, or nobody's, which is the empty text.
ALTER TABLE thumbs_jobs ADD COLUMN IF NOT EXISTS owner TEXT COLLATE "C" NOT NULL DEFAULT '';

-- Without the jobs of nobody: where there are no keys, nobody asks by owner.
CREATE INDEX IF NOT EXISTS thumbs_jobs_owner ON thumbs_jobs (owner, id) WHERE owner <> '';

CREATE INDEX IF NOT EXISTS thumbs_jobs_owner_status ON thumbs_jobs (owner, status, id) WHERE owner <> '';

-- Open jobs of each owner, longest due first: owners take turns, and what one has waiting is counted.
CREATE INDEX IF NOT EXISTS thumbs_jobs_turn ON thumbs_jobs (owner, due_at_ms) WHERE due_at_ms IS NOT NULL;

-- Programs of versions before go on beside it: the jobs that they make are nobody's.
INSERT INTO thumbs_schema (version, min_compatible) VALUES (5, 2);
