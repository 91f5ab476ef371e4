"""Checks a token as an app written in Python would: with PyJWT, and nothing of ours but the address of the key set.

    check_token.py KEY_SET ISSUER AUDIENCE < token

Writes the claims as JSON. A token that is not good ends it with status 1 and the reason's name.
"""

import json
import sys

import jwt


def check(token: str, key_set: str, issuer: str, audience: str) -> dict:
    if jwt.get_unverified_header(token).get("typ") != "at+jwt":
        raise jwt.InvalidTokenError("it is no access token")
    key = jwt.PyJWKClient(key_set).get_signing_key_from_jwt(token)
    return jwt.decode(
        token,
        key,
        algorithms=["ES256", "EdDSA"],
        issuer=issuer,
        audience=audience,
        leeway=30,
        options={"require": ["iss", "aud", "sub", "exp", "iat", "nbf", "jti"]},
    )


if __name__ == "__main__":
    try:
        print(json.dumps(check(sys.stdin.read(), *sys.argv[1:])))
    except jwt.PyJWTError as error:
        print(type(error).__name__)
        sys.exit(1)
