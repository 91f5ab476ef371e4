-- The author of a registration: 'administrator', or 'registered' by the client itself (RFC 7591).
ALTER TABLE oauth_clients ADD COLUMN source TEXT NOT NULL DEFAULT 'administrator';
-- SHA-256 of the token with which a registered client changes and removes itself (RFC 7592).
ALTER TABLE oauth_clients ADD COLUMN management_hash TEXT;
-- The end of a registration that was made by the client itself.
ALTER TABLE oauth_clients ADD COLUMN expires_at BIGINT;

-- Initial access tokens of dynamic registration. Each is good for a number of clients.
CREATE TABLE oauth_initial_tokens (
    token_hash TEXT NOT NULL PRIMARY KEY,
    note TEXT NOT NULL,
    uses_left BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX oauth_initial_tokens_expires ON oauth_initial_tokens (expires_at);

-- Clients that are described by a document at the URL that is their id.
CREATE TABLE oauth_documents (
    id TEXT NOT NULL PRIMARY KEY,
    registration TEXT NOT NULL,
    fetched_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX oauth_documents_expires ON oauth_documents (expires_at);

-- The pairwise subjects of people, one for each sector.
CREATE TABLE oauth_subjects (
    sector TEXT NOT NULL,
    user_id TEXT NOT NULL,
    subject TEXT NOT NULL UNIQUE,
    PRIMARY KEY (sector, user_id)
);
