-- When and how a session's person was last authenticated: unix milliseconds, and methods with spaces in between. Sessions
-- from before began with a password.
ALTER TABLE sessions ADD COLUMN auth_time BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN methods TEXT NOT NULL DEFAULT 'password';
UPDATE sessions SET auth_time = created_at;
