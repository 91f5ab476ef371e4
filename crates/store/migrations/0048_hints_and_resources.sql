-- The public half of an ended signing key, as JWK. It verifies ID tokens that apps send back after years.
ALTER TABLE keys ADD COLUMN public_half TEXT NOT NULL DEFAULT '';
-- The resources that a device asks for (RFC 8707), separated by spaces.
ALTER TABLE oauth_devices ADD COLUMN resources TEXT NOT NULL DEFAULT '';
