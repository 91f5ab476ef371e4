-- Until when a pushed request may be answered by a person who began to sign in before it expired.
ALTER TABLE oauth_requests ADD COLUMN kept_until BIGINT;
