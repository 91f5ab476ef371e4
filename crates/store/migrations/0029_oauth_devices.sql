-- Devices that wait for a person to enter their code in a browser (RFC 8628).
CREATE TABLE oauth_devices (
    device_hash TEXT NOT NULL PRIMARY KEY,
    user_code_hash TEXT NOT NULL UNIQUE,
    client_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    poll_at BIGINT NOT NULL,
    denied_at BIGINT
);
CREATE INDEX oauth_devices_expires ON oauth_devices (expires_at);
