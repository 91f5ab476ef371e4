-- Links that prove an e-mail address. An account has one at most, and it holds only for this address.
CREATE TABLE email_proofs (
    user_id TEXT NOT NULL PRIMARY KEY REFERENCES users (id),
    email_key TEXT NOT NULL,
    code_hash TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX email_proofs_expires ON email_proofs (expires_at);
