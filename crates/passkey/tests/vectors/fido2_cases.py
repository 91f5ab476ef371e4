"""Writes fido2.json: assertions of three algorithms in many right and wrong forms, and the result of the Python package
fido2 for each. With `registrations`, writes fido2-registrations.json: the same for registrations, with and without a
verified user. `vectors` compares these results with ours.

    pip install fido2==2.2.0 && python fido2_cases.py > fido2.json
    python fido2_cases.py registrations > fido2-registrations.json
"""

import hashlib
import json
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from fido2 import cbor
from fido2.cose import ES256, RS256, EdDSA
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import AttestedCredentialData

RP, ORIGIN, CHALLENGE, ID = "example.org", "https://example.org", bytes([5] * 32), b"credential"


def authenticator(kind):
    """Returns a key's COSE form and a function that signs."""
    if kind == "ES256":
        key = ec.generate_private_key(ec.SECP256R1())
        return ES256.from_cryptography_key(key.public_key()), lambda data: key.sign(data, ec.ECDSA(hashes.SHA256()))
    if kind == "EdDSA":
        key = ed25519.Ed25519PrivateKey.generate()
        return EdDSA.from_cryptography_key(key.public_key()), key.sign
    key = rsa.generate_private_key(65537, 2048)
    return RS256.from_cryptography_key(key.public_key()), lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def client_data(**changes):
    data = {"type": "webauthn.get", "challenge": websafe_encode(CHALLENGE), "origin": ORIGIN, "crossOrigin": False}
    return json.dumps({name: value for name, value in (data | changes).items() if value is not None}).encode()


def auth_data(flags=0x05, rp=RP, rest=b"", count=1):
    return hashlib.sha256(rp.encode()).digest() + bytes([flags]) + count.to_bytes(4, "big") + rest


def forms():
    """Yields the description of a case, its client data and its authenticator data."""
    for flags in range(256):
        yield f"flags {flags:08b}", client_data(), auth_data(flags)
    for flags in (0x85, 0x9D, 0xC5):
        yield f"extensions with flags {flags:08b}", client_data(), auth_data(flags, rest=b"\xa1\x61a\xf5")
    for kind in ("webauthn.create", "webauthn.GET", "payment.get", "", None):
        yield f"type {kind}", client_data(type=kind), auth_data()
    for origin in ("https://example.org.evil", "https://evilexample.org", "https://sub.example.org", "http://example.org",
                   "https://example.org:443", "https://example.org:8443", "https://EXAMPLE.org", "example.org", "", None):
        yield f"origin {origin}", client_data(origin=origin), auth_data()
    for size in (0, 1, 31, 33):
        yield f"challenge of {size} bytes", client_data(challenge=websafe_encode(CHALLENGE[:size] if size < 33 else CHALLENGE + b"\5")), auth_data()
    yield "other challenge", client_data(challenge=websafe_encode(bytes([6] * 32))), auth_data()
    for rp in ("org", "example.com", "https://example.org", ""):
        yield f"host {rp}", client_data(), auth_data(rp=rp)
    yield "a frame of another origin", client_data(crossOrigin=True), auth_data()
    yield "a top origin", client_data(crossOrigin=True, topOrigin="https://example.com"), auth_data()
    yield "no crossOrigin", client_data(crossOrigin=None), auth_data()
    yield "more members", client_data(other={"a": [1]}), auth_data()
    for length in range(38):
        yield f"authenticator data of {length} bytes", client_data(), auth_data()[:length]
    yield "bytes behind the authenticator data", client_data(), auth_data() + b"\0"


def judge(cose, client, data, signature):
    credential = AttestedCredentialData.create(bytes(16), ID, cose)
    server = Fido2Server({"id": RP, "name": "Example"}, verify_origin=lambda origin: origin == ORIGIN)
    state = {"challenge": websafe_encode(CHALLENGE), "user_verification": "required"}
    response = {"id": websafe_encode(ID), "rawId": websafe_encode(ID), "type": "public-key", "clientExtensionResults": {}, "response": {
        "clientDataJSON": websafe_encode(client), "authenticatorData": websafe_encode(data), "signature": websafe_encode(signature)}}
    try:
        server.authenticate_complete(state, [credential], response)
    except Exception:
        return False
    return True


def attestation(data, **changes):
    parts = {"fmt": "none", "attStmt": {}, "authData": data} | changes
    return cbor.encode({name: value for name, value in parts.items() if value is not None})


def registration_forms(cose):
    """Yields the description of a case, its client data and its attestation object."""
    created = lambda **changes: client_data(**({"type": "webauthn.create"} | changes))
    key = cbor.encode(dict(cose))
    attested = lambda id=ID, aaguid=bytes(16), key=key: aaguid + len(id).to_bytes(2, "big") + id + key
    for flags in range(256):
        rest = (attested() if flags & 0x40 else b"") + (b"\xa1\x61a\xf5" if flags & 0x80 else b"")
        yield f"flags {flags:08b}", created(), attestation(auth_data(flags, rest=rest))
    good = auth_data(0x45, rest=attested())
    for kind in ("webauthn.get", "webauthn.CREATE", "", None):
        yield f"type {kind}", created(type=kind), attestation(good)
    for origin in ("https://example.org.evil", "https://evilexample.org", "https://sub.example.org", "http://example.org",
                   "https://example.org:8443", "https://EXAMPLE.org", "example.org", "", None):
        yield f"origin {origin}", created(origin=origin), attestation(good)
    for challenge in (b"", CHALLENGE[:31], CHALLENGE + b"\5", bytes([6] * 32)):
        yield f"challenge {challenge.hex()}", created(challenge=websafe_encode(challenge)), attestation(good)
    for rp in ("org", "example.com", "https://example.org", ""):
        yield f"host {rp}", created(), attestation(auth_data(0x45, rp=rp, rest=attested()))
    yield "a frame of another origin", created(crossOrigin=True), attestation(good)
    yield "a top origin", created(crossOrigin=True, topOrigin="https://example.com"), attestation(good)
    yield "more members", created(other={"a": [1]}), attestation(good)
    for length in range(0, len(good), 7):
        yield f"authenticator data of {length} bytes", created(), attestation(good[:length])
    yield "bytes behind the authenticator data", created(), attestation(good + b"\0")
    for size in (0, 1, 16, 255, 1023, 1024):
        yield f"an id of {size} bytes", created(), attestation(auth_data(0x45, rest=attested(id=bytes(size))))
    yield "an aaguid", created(), attestation(auth_data(0x45, rest=attested(aaguid=bytes(range(16)))))
    whole = attestation(good)
    yield "bytes behind the object", created(), whole + b"\0"
    yield "an object without its end", created(), whole[:-1]
    yield "no object", created(), b""
    for name in ("fmt", "attStmt", "authData"):
        yield f"no {name}", created(), attestation(good, **{name: None})
    yield "no CBOR map", created(), cbor.encode([1, 2, 3])


def judge_registration(id, client, attested, verification):
    server = Fido2Server({"id": RP, "name": "Example"}, verify_origin=lambda origin: origin == ORIGIN)
    state = {"challenge": websafe_encode(CHALLENGE), "user_verification": verification}
    response = {"id": websafe_encode(id), "rawId": websafe_encode(id), "type": "public-key", "clientExtensionResults": {}, "response": {
        "clientDataJSON": websafe_encode(client), "attestationObject": websafe_encode(attested)}}
    try:
        made = server.register_complete(state, response)
        return made.credential_data is not None
    except Exception:
        return False


def registrations():
    groups = []
    for kind in ("ES256", "EdDSA", "RS256"):
        cose, _ = authenticator(kind)
        cases = []
        for about, client, attested in registration_forms(cose):
            # As above.
            if kind == "ES256" or about in ("flags 01000101", "flags 11011101", "an aaguid", "more members"):
                verdicts = [judge_registration(ID, client, attested, kind) for kind in ("required", "preferred")]
                cases.append({"about": about, "client": websafe_encode(client), "object": websafe_encode(attested), "verified": verdicts[0], "any": verdicts[1]})
        groups.append({"algorithm": kind, "cases": cases})
    json.dump(groups, sys.stdout, indent=0)
    print()


def main():
    groups = []
    for kind in ("ES256", "EdDSA", "RS256"):
        cose, sign = authenticator(kind)
        cases = []

        def add(about, client, data, signature):
            accepted = judge(cose, client, data, signature)
            cases.append({"about": about, "client": websafe_encode(client), "data": websafe_encode(data), "signature": websafe_encode(signature), "accepted": accepted})

        for about, client, data in forms():
            # Only one algorithm has all flags, because the code after the signature is the same for the others.
            if kind == "ES256" or not about.startswith("flags") or about in ("flags 00000101", "flags 00011101"):
                add(about, client, data, sign(data + hashlib.sha256(client).digest()))
        client, data = client_data(), auth_data()
        good = sign(data + hashlib.sha256(client).digest())
        for about, signature in (("a signature of something else", sign(data)), ("no signature", b""), ("a longer signature", good + b"\0"),
                                 ("a shorter signature", good[:-1]), ("a flipped bit", bytes([good[0] ^ 1]) + good[1:]), ("another flipped bit", good[:-1] + bytes([good[-1] ^ 1]))):
            add(about, client, data, signature)
        groups.append({"algorithm": kind, "key": websafe_encode(cbor.encode(dict(cose))), "cases": cases})
    json.dump(groups, sys.stdout, indent=0)
    print()


registrations() if sys.argv[1:] == ["registrations"] else main()
