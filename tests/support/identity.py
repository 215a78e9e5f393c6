"""An identity provider for a test: keys of each kind, their JWKS, and JWTs signed with them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ISSUER = "https://login.example.com/"
AUDIENCE = "perfex-gateway"


@cache
def private_key(kind: str, number: int) -> Any:
    """Return a private key; of each kind and number there is one."""
    match kind:
        case "RSA":
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
        case "weak":
            return rsa.generate_private_key(public_exponent=65537, key_size=1024)
        case "P-256":
            return ec.generate_private_key(ec.SECP256R1())
        case "P-384":
            return ec.generate_private_key(ec.SECP384R1())
        case "P-521":
            return ec.generate_private_key(ec.SECP521R1())
    return ed25519.Ed25519PrivateKey.generate()


def jwk(kind: str, number: int = 0, **members: object) -> dict[str, Any]:
    """Return the public half of a key as a JWK; a member that is None is left out."""
    algorithms: dict[str, Any] = {"RSA": RSAAlgorithm, "weak": RSAAlgorithm, "Ed25519": OKPAlgorithm}
    public: dict[str, Any] = json.loads(
        algorithms.get(kind, ECAlgorithm).to_jwk(private_key(kind, number).public_key())
    )
    public.pop("key_ops", None)
    named = {"kid": f"{kind}-{number}", "use": "sig", **members}
    return public | {name: value for name, value in named.items() if value is not None}


def jwks(*keys: Mapping[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


def claims(**changes: object) -> dict[str, Any]:
    """Return claims that are accepted; a change to None leaves one out."""
    now = int(time.time())
    given = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "iat": now, "exp": now + 600, **changes}
    return {name: value for name, value in given.items() if value is not None}


def signed(
    kind: str = "RSA",
    algorithm: str = "RS256",
    number: int = 0,
    *,
    headers: Mapping[str, object] | None = None,
    **changes: object,
) -> bytes:
    """Return a JWT."""
    named = {"kid": f"{kind}-{number}", **(headers or {})}
    kept = {name: value for name, value in named.items() if value is not None}
    return jwt.encode(claims(**changes), private_key(kind, number), algorithm, headers=kept).encode()


@dataclass(slots=True)
class Provider:
    """A server of keys: what it answers can be changed; it counts how often it was asked."""

    url: str = ""
    body: bytes = b""
    status: int = 200
    location: str = ""
    asked: list[str] = field(default_factory=list)

    @classmethod
    @contextmanager
    def serving(cls, *keys: Mapping[str, Any]) -> Iterator[Provider]:
        """Yield a provider that serves some keys on a port of this machine."""
        provider = cls(body=jwks(*keys))

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked.append(self.path)
                self.send_response(provider.status)
                if provider.location:
                    self.send_header("Location", provider.location)
                self.send_header("Content-Length", str(len(provider.body)))
                self.end_headers()
                self.wfile.write(provider.body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            provider.url = f"http://127.0.0.1:{server.server_port}/keys"
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield provider
            finally:
                server.shutdown()
                thread.join()
