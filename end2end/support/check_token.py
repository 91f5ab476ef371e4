"""Checks a token as an app written in Python would: with PyJWT, and nothing of ours but the address of the key set.

    check_token.py KEY_SET ISSUER AUDIENCE SECONDS < token

SECONDS: how far the app's clock is behind. It tolerates nothing then.

Writes the claims as JSON. A token that is not good ends it with status 1 and the reason's name.
"""

import json
import sys
from datetime import datetime, timedelta
from unittest import mock

import jwt


def check(token: str, key_set: str, issuer: str, audience: str, leeway: int = 30) -> dict:
    if jwt.get_unverified_header(token).get("typ") != "at+jwt":
        raise jwt.InvalidTokenError("it is no access token")
    key = jwt.PyJWKClient(key_set).get_signing_key_from_jwt(token)
    return jwt.decode(
        token,
        key,
        algorithms=["ES256", "EdDSA"],
        issuer=issuer,
        audience=audience,
        leeway=leeway,
        options={"require": ["iss", "aud", "sub", "exp", "iat", "nbf", "jti"]},
    )


if __name__ == "__main__":
    try:
        token, behind = sys.stdin.read(), int(sys.argv[4])

        class Behind(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.now(tz) - timedelta(seconds=behind)

        with mock.patch("jwt.api_jwt.datetime", Behind):
            print(json.dumps(check(token, *sys.argv[1:4], leeway=0 if behind else 30)))
    except jwt.PyJWTError as error:
        print(type(error).__name__)
        sys.exit(1)
