-- TEXT and BIGINT only, so that SQLite and PostgreSQL read the same file. Times are unix
-- milliseconds; a time that may be NULL stands where a flag would.

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    signed_in_at BIGINT,
    disabled_at BIGINT
);

-- Whoever must be alone with a question writes the row of that name first.
CREATE TABLE turns (
    name TEXT NOT NULL PRIMARY KEY,
    taken_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    generation BIGINT NOT NULL,
    refresh_hash TEXT NOT NULL,
    previous_hash TEXT,
    jkt TEXT,
    receiving_key TEXT,
    device TEXT NOT NULL,
    address TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    rotated_at BIGINT NOT NULL,
    idle_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    revoked_at BIGINT,
    changed_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_changed ON sessions (changed_at);

CREATE TABLE short_keys (
    id TEXT NOT NULL PRIMARY KEY,
    identity TEXT NOT NULL,
    body TEXT NOT NULL,
    burnt_at BIGINT NOT NULL,
    resent_at BIGINT,
    expires_at BIGINT NOT NULL
);
CREATE INDEX short_keys_expires ON short_keys (expires_at);

CREATE TABLE reservations (
    identity TEXT NOT NULL PRIMARY KEY,
    attempt TEXT NOT NULL,
    until BIGINT NOT NULL
);

-- `account` is empty where none is known.
CREATE TABLE strikes (
    id TEXT NOT NULL PRIMARY KEY,
    identity TEXT NOT NULL,
    cause TEXT NOT NULL,
    account TEXT NOT NULL,
    at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX strikes_identity ON strikes (identity, cause);
CREATE INDEX strikes_expires ON strikes (expires_at);

CREATE TABLE ladders (
    identity TEXT NOT NULL,
    cause TEXT NOT NULL,
    account TEXT NOT NULL,
    step BIGINT NOT NULL,
    until BIGINT NOT NULL,
    ban TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (identity, cause, account)
);
CREATE INDEX ladders_expires ON ladders (expires_at);

CREATE TABLE account_failures (
    account TEXT NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_at BIGINT NOT NULL
);
CREATE INDEX account_failures_last ON account_failures (last_at);

CREATE TABLE bans (
    id TEXT NOT NULL PRIMARY KEY,
    incident TEXT NOT NULL,
    identity TEXT NOT NULL,
    scope TEXT NOT NULL,
    cause TEXT NOT NULL,
    reason TEXT NOT NULL,
    evidence TEXT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL,
    made_by TEXT NOT NULL,
    lifted_at BIGINT,
    lifted_by TEXT,
    changed_at BIGINT NOT NULL
);
CREATE INDEX bans_identity ON bans (identity, until);
CREATE INDEX bans_until ON bans (until);
CREATE INDEX bans_changed ON bans (changed_at);

CREATE TABLE audit (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    outcome TEXT NOT NULL,
    user_id TEXT,
    session_id TEXT,
    address TEXT NOT NULL,
    device TEXT NOT NULL
);
CREATE INDEX audit_user ON audit (user_id, at);

CREATE TABLE keys (
    kid TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    sealed TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    retired_at BIGINT
);
