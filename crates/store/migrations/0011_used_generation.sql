-- The newest generation of which a token was shown: as long as that is not the current one, an answer may have been lost.
ALTER TABLE sessions ADD COLUMN used_generation BIGINT NOT NULL DEFAULT 0;
UPDATE sessions SET used_generation = generation;
