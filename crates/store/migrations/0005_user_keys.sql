-- The newest version of a person's own key; 0: none was made yet. Whoever makes the next one writes this
-- first, so that versions have no holes and one is in use.
ALTER TABLE users ADD COLUMN key_version BIGINT NOT NULL DEFAULT 0;

-- `sealed` is empty once a version is over.
CREATE TABLE user_keys (
    user_id TEXT NOT NULL REFERENCES users (id),
    version BIGINT NOT NULL,
    sealed TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ends_at BIGINT,
    revoked_at BIGINT,
    made_by TEXT,
    PRIMARY KEY (user_id, version)
);
CREATE INDEX user_keys_ends ON user_keys (ends_at);

-- Who may be talked to with tickets. `jwk` is a public key, `kid` its thumbprint.
CREATE TABLE services (
    name TEXT NOT NULL PRIMARY KEY,
    jwk TEXT NOT NULL,
    kid TEXT NOT NULL,
    role TEXT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
