"""A browser of one person: cookies and keys that its tabs share, and the requests of its pages."""

import base64
import hashlib
import http.client
import json
import os
import threading
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# Time in seconds after which a client has lost the answer.
TIMEOUT = 8


class Lost(Exception):
    """No complete answer was received: the client cannot know whether the server acted."""


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


class Key:
    """A P-256 key, which makes proofs (RFC 9449)."""

    def __init__(self):
        self.private = ec.generate_private_key(ec.SECP256R1())
        point = self.private.public_key().public_numbers()
        x, y = (base64url(part.to_bytes(32, "big")) for part in (point.x, point.y))
        self.jwk = {"crv": "P-256", "kty": "EC", "x": x, "y": y}

    def prove(self, method: str, url: str, nonce: str, token: str = "") -> str:
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk}
        claims = {"jti": base64url(os.urandom(16)), "htm": method, "htu": url, "iat": int(time.time()), "nonce": nonce}
        claims |= {"ath": base64url(hashlib.sha256(token.encode()).digest())} if token else {}
        message = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
        r, s = decode_dss_signature(self.private.sign(message.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{message}.{base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


class Answer:
    def __init__(self, response, body: bytes):
        self.status, self.headers, self.body = response.status, response.headers, body

    def json(self) -> dict:
        try:
            read = json.loads(self.body)
            return read if isinstance(read, dict) else {}
        except ValueError:
            return {}

    @property
    def code(self) -> str:
        return self.json().get("code", "")


class Browser:
    def __init__(self, origin: str, port: int, address: str, name: str, password: str, watch, server: str = "127.0.0.1"):
        self.origin, self.port, self.name, self.password, self.server = origin, port, name, password, server
        self.address, self.watch = address, watch
        self.key, self.receiving = Key(), Key()
        self.cookies: dict[str, str] = {}
        self.session: str | None = None
        # Replaces the pages' own lock (Web Locks): one tab changes the session at a time.
        self.turn = threading.Lock()

    def cookie(self, part: str) -> str:
        return self.cookies.get(f"__Host-postern-{part}", "")

    def ask(
        self, method: str, path: str, body=None, proof: str = "", cookies: str | None = None, more: dict | None = None
    ) -> Answer:
        """Sends one request on a connection of its own, with `more` headers. Raises `Lost`."""
        if cookies is None:
            cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Host": self.origin.removeprefix("http://"), "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
        headers |= {"X-Forwarded-For": self.address}
        headers |= {"Cookie": cookies} if cookies else {}
        headers |= {"DPoP": proof} if proof else {}
        headers |= more or {}
        if method != "GET":
            headers |= {"Origin": self.origin, "Content-Type": "application/json"}
        connection = http.client.HTTPConnection(self.server, self.port, timeout=TIMEOUT)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            answer = Answer(response, response.read())
        except (OSError, http.client.HTTPException) as error:
            raise Lost from error
        finally:
            connection.close()
        self.watch(method, path, answer)
        return answer

    def keep(self, answer: Answer) -> None:
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, value = line.split(";")[0].split("=", 1)
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)

    def proved(self, method: str, path: str, body=None) -> Answer:
        """Requests a nonce, and sends the request with a proof of the browser's key."""
        nonce = self.ask("GET", "/api/session", cookies="").headers.get("DPoP-Nonce") or ""
        answer = self.ask(method, path, body, self.key.prove(method, self.origin + path, nonce))
        if answer.code == "use_dpop_nonce":
            nonce = answer.headers.get("DPoP-Nonce") or ""
            answer = self.ask(method, path, body, self.key.prove(method, self.origin + path, nonce))
        return answer

    def sign_in(self, password: str | None = None) -> Answer:
        challenge = self.ask("GET", "/api/challenge")
        self.keep(challenge)
        if challenge.status != 200:
            return challenge
        said = challenge.json()
        content = json.dumps({"username": self.name, "password": password or self.password})
        body = {"encrypted_username_password": self._seal(said, content.encode()), "short_key": said["short_key"]}
        proof = self.key.prove("POST", f"{self.origin}/api/login", said["short_key"])
        answer = self.ask("POST", "/api/login", body, proof)
        if answer.status == 200:
            self.keep(answer)
            self.session = answer.json()["session"]["id"]
        return answer

    def _seal(self, said: dict, content: bytes) -> str:
        """Returns a compact JWE (RFC 7516) with RSA-OAEP-256 and A256GCM."""
        jwk = said["key"]
        public = rsa.RSAPublicNumbers(number(jwk["e"]), number(jwk["n"])).public_key()
        header = {"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": jwk["kid"], "typ": "login+jwe"}
        header |= {"sk": said["short_key"], "org": self.origin, "jwk": self.key.jwk, "enc_jwk": self.receiving.jwk}
        protected = base64url(json.dumps(header | {"iat": int(time.time())}).encode())
        key, iv = os.urandom(32), os.urandom(12)
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        sealed = AESGCM(key).encrypt(iv, content, protected.encode())
        parts = (public.encrypt(key, oaep), iv, sealed[:-16], sealed[-16:])
        return ".".join([protected, *map(base64url, parts)])


def digest(secret: str) -> str:
    """Returns a digest that replaces a secret in the journal."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]
