-- The place of a session's last end, or change of its person, in the order of commits: no clock is needed to ask for
-- what is new. Most sessions never have one.
ALTER TABLE sessions ADD COLUMN seq BIGINT NOT NULL DEFAULT 0;
CREATE INDEX sessions_seq ON sessions (seq) WHERE seq > 0;
