-- What is due is found by this index. A row of a session that goes on is due when the session is expected to end.
UPDATE oauth_logouts SET next_at =
        (SELECT CASE WHEN s.idle_at < s.ends_at THEN s.idle_at ELSE s.ends_at END FROM sessions s
            WHERE s.id = oauth_logouts.session_id)
    WHERE tries = 0 AND session_id IN (SELECT id FROM sessions WHERE revoked_at IS NULL);
CREATE INDEX oauth_logouts_next ON oauth_logouts (next_at);
