-- Attempts that the service itself failed, and gave back.

-- unless: SELECT 1 FROM pragma_table_info('thumbs_jobs') WHERE name = 'setbacks'
ALTER TABLE thumbs_jobs ADD COLUMN setbacks INTEGER NOT NULL DEFAULT 0;

-- Programs of version 2 go on beside it: they count every attempt, as they did.
INSERT INTO thumbs_schema (version, min_compatible) VALUES (3, 2) ON CONFLICT DO NOTHING;
