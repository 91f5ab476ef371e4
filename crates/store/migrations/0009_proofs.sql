-- Proofs of possession that were used: kept for as long as their nonce is good.
CREATE TABLE used_proofs (
    id TEXT NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_proofs_expires ON used_proofs (expires_at);
