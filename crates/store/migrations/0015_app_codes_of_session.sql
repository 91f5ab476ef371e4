-- A session has few codes at once; the oldest give way.
CREATE INDEX app_codes_session ON app_codes (session_id, expires_at);
