-- Several reset links of one person may be open. Using one ends all of them.
CREATE TABLE open_resets (
    code_hash TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    made_by TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
INSERT INTO open_resets (code_hash, user_id, made_by, created_at, expires_at)
    SELECT code_hash, user_id, made_by, created_at, expires_at FROM resets;
DROP TABLE resets;
ALTER TABLE open_resets RENAME TO resets;
CREATE INDEX resets_user ON resets (user_id);
CREATE INDEX resets_expires ON resets (expires_at);
