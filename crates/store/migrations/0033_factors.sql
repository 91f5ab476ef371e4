-- Whether a password of this account needs a passkey beside it.
ALTER TABLE users ADD COLUMN passkey_after_password BIGINT NOT NULL DEFAULT 0;

-- Browsers that passed the second factor, and are not asked for it again until a time. `jkt` is the thumbprint of the
-- browser's key, which it proves at each sign-in.
CREATE TABLE remembered_devices (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    jkt TEXT NOT NULL,
    device TEXT NOT NULL,
    address TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    UNIQUE (user_id, jkt)
);
CREATE INDEX remembered_devices_expires ON remembered_devices (expires_at);
