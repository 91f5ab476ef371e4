-- Events of the audit log up to this time were seen and dismissed by their owner.
ALTER TABLE users ADD COLUMN notices_read_at BIGINT;
