-- What makes two names look alike (Unicode TR39); empty until the program has computed it.
ALTER TABLE users ADD COLUMN skeleton TEXT NOT NULL DEFAULT '';
CREATE INDEX users_skeleton ON users (skeleton);
