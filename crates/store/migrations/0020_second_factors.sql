-- Generators of one-time codes (RFC 6238). `sealed`: the secret under the key-encryption key. A row without
-- `confirmed_at` waits for its first code and counts for nothing.
CREATE TABLE totp (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    sealed TEXT NOT NULL,
    -- The step of the last accepted code: only a greater one is accepted.
    last_step BIGINT NOT NULL DEFAULT 0,
    -- How far the device's clock is ahead, in steps.
    drift BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    confirmed_at BIGINT,
    used_at BIGINT
);
CREATE UNIQUE INDEX totp_confirmed ON totp (user_id) WHERE confirmed_at IS NOT NULL;
CREATE INDEX totp_user ON totp (user_id);
CREATE INDEX totp_created ON totp (created_at);

-- Hashes of codes that replace a lost factor, each of which works once. A new set deletes the old one.
CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL REFERENCES users (id),
    code_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (user_id, code_hash)
);

-- Sign-ins whose password was right and whose second factor is missing.
CREATE TABLE pending_sign_ins (
    -- Hash of the secret that the client received.
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    -- The password hash that was checked: a change of the password ends the sign-in.
    judged_by TEXT NOT NULL,
    -- Thumbprint of the client's key, which must finish the sign-in; NULL without one.
    jkt TEXT,
    -- Codes that were tried.
    tries BIGINT NOT NULL DEFAULT 0,
    expires_at BIGINT NOT NULL
);
CREATE INDEX pending_sign_ins_expires ON pending_sign_ins (expires_at);
CREATE INDEX pending_sign_ins_user ON pending_sign_ins (user_id);
