-- Codes that lead a signed-in person back to an app: each is good once, for half a minute.
CREATE TABLE app_codes (
    code_hash TEXT NOT NULL PRIMARY KEY,
    app TEXT NOT NULL,
    state_hash TEXT NOT NULL,
    session_id TEXT NOT NULL,
    place TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX app_codes_expires ON app_codes (expires_at);
