-- Clients of the OpenID provider that were added by command or page. `registration` is JSON without secrets.
CREATE TABLE oauth_clients (
    id TEXT NOT NULL PRIMARY KEY,
    registration TEXT NOT NULL,
    -- SHA-256 of the secrets that are valid, separated by spaces.
    secrets TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- Authorization codes. A used one stays for a while, so that a second use revokes what the first one gave.
CREATE TABLE oauth_codes (
    code_hash TEXT NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    code_challenge TEXT,
    jkt TEXT,
    -- Scopes, nonce and the rest of the request, as JSON.
    details TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    grant_id TEXT,
    used_at BIGINT
);
CREATE INDEX oauth_codes_expires ON oauth_codes (expires_at);
CREATE INDEX oauth_codes_session ON oauth_codes (session_id, expires_at);

-- What a code gave: one family of refresh tokens, and access tokens. It ends with its session.
CREATE TABLE oauth_grants (
    id TEXT NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    details TEXT NOT NULL,
    jkt TEXT,
    generation BIGINT NOT NULL,
    -- NULL: no refresh token was issued.
    refresh_hash TEXT,
    previous_hash TEXT,
    used_generation BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    rotated_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX oauth_grants_session ON oauth_grants (session_id);
CREATE INDEX oauth_grants_user ON oauth_grants (user_id, client_id);
CREATE INDEX oauth_grants_ends ON oauth_grants (ends_at);

-- The scopes that a person agreed to, for each client.
CREATE TABLE oauth_consents (
    user_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    given_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, client_id)
);

-- Pushed authorization requests (RFC 9126): each gives one code.
CREATE TABLE oauth_requests (
    id_hash TEXT NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL,
    parameters TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX oauth_requests_expires ON oauth_requests (expires_at);
