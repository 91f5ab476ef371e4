-- Proofs of the person that were given in a session since its last right one, and the time of the newest. Each is counted
-- before it is checked.
ALTER TABLE sessions ADD COLUMN proofs BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN proof_at BIGINT NOT NULL DEFAULT 0;

-- Until when notices were dismissed on one device. `device` is the thumbprint of its key, or without one the id of its
-- session. `users.notices_read_at` is from before this table and is not written any more.
CREATE TABLE notices_read (
    user_id TEXT NOT NULL,
    device TEXT NOT NULL,
    read_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, device)
);
CREATE INDEX notices_read_at ON notices_read (read_at);
