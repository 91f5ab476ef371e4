-- Messages that wait for a mail server or were given up. A row is deleted once a server has taken the message.
CREATE TABLE mails (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    -- The account that the message is about. NULL: there is none yet.
    user_id TEXT,
    recipient TEXT NOT NULL,
    -- The event that a notice reports, or that says who asked for the link.
    audit_id TEXT,
    -- The code of the message's link under the key-encryption key. Empty: it has none, or it was erased.
    sealed TEXT NOT NULL,
    link_expires_at BIGINT,
    created_at BIGINT NOT NULL,
    -- The message is given up at this time.
    deadline BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    -- Why the last attempt failed.
    failure TEXT NOT NULL,
    given_up_at BIGINT
);
CREATE INDEX mails_next ON mails (next_at) WHERE given_up_at IS NULL;
CREATE INDEX mails_user ON mails (user_id);

-- One row while this installation sends mail: how many messages one address gets in an hour.
CREATE TABLE mail_limits (
    id BIGINT NOT NULL PRIMARY KEY,
    per_hour BIGINT NOT NULL
);

-- Messages in an hour, by the hash of an address or an account.
CREATE TABLE mail_counts (
    subject TEXT NOT NULL,
    hour BIGINT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (subject, hour)
);
CREATE INDEX mail_counts_hour ON mail_counts (hour);
