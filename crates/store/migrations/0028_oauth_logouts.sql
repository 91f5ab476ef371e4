-- Clients that want to know when a session ends. A row waits for that, and is deleted once the client was told.
CREATE TABLE oauth_logouts (
    session_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    tries BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    PRIMARY KEY (session_id, client_id)
);
