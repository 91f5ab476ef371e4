-- Who did it, where somebody did it to somebody else: a user's id, or NULL.
ALTER TABLE audit ADD COLUMN actor TEXT;

-- A deleted account keeps its id and nothing else of the person.
ALTER TABLE users ADD COLUMN deleted_at BIGINT;

CREATE TABLE invitations (
    id TEXT NOT NULL PRIMARY KEY,
    code_hash TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    note TEXT NOT NULL,
    made_by TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    used_by TEXT,
    revoked_at BIGINT
);
CREATE INDEX invitations_expires ON invitations (expires_at);

-- One-time links that set a forgotten password. One to a user: a new one replaces the one before.
CREATE TABLE resets (
    user_id TEXT NOT NULL PRIMARY KEY,
    code_hash TEXT NOT NULL UNIQUE,
    made_by TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX resets_expires ON resets (expires_at);
