"""A client that signs its requests, as the documentation tells one to: written anew, with nothing of the gateway's."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Generator

import httpx2


class Signed(httpx2.Auth):
    """Signs what is sent with a token's signing secret; ``off_s`` is how wrong the client's clock is."""

    requires_request_body = True

    def __init__(self, secret: str, *, off_s: float = 0.0) -> None:
        self._secret = secret
        self._off_s = off_s

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        timestamp = f"{time.time() + self._off_s:.6f}"
        path, _, query = request.url.raw_path.decode().partition("?")
        body = hashlib.sha256(request.content).hexdigest()
        text = "\n".join((request.method, path, query, body, timestamp))
        signature = hmac.new(self._secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        request.headers["X-Signature-Timestamp"] = timestamp
        request.headers["X-Signature"] = f"v1={signature}"
        yield request
