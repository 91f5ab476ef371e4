-- Which parameters stored password hashes have is asked at every sign-in: one step of this index for each of them.
-- The expression stands in crates/store/src/sql/users.rs in the same words.
CREATE INDEX users_by_password_parameters ON users (
    substr(password_hash, 1, CASE WHEN length(password_hash) > 67 THEN length(password_hash) - 67 ELSE 0 END)
);
