mod issuer;
mod jwks;
mod token;
