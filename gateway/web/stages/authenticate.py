"""Stage 3, authenticate: finds out who asks; nothing behind it answers without a token.

A token that was valid a moment ago costs a look into a dict. Whatever is refused counts against the
address that it came from: one that had too many refused gets 429 before anything is looked up, but
for tokens that were valid when they last came here: who shares an address with a guesser goes on.
"""

from __future__ import annotations

import math

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import CredentialError, ThrottledError
from gateway.observe import TokenRefused
from gateway.security.authenticate import Known
from gateway.security.credentials import BASIC, challenge_for, offers_basic, presented_token
from gateway.security.signatures import signed_text
from gateway.web.exchange import Exchange, exchange_of
from gateway.web.guards import guard_of
from gateway.web.parts import Parts
from gateway.web.stages.shield import BodyLimit, read_body


class Authenticate:
    """Notes the principal, but for the public paths."""

    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        settings = parts.settings
        most_bytes = max(settings.max_body_bytes, settings.max_bulk_body_bytes)
        self._app = app
        self._authenticator = parts.authenticator
        self._signatures = parts.signatures
        self._refusals = parts.refusals
        self._observer = parts.observer
        self._note_use = parts.last_used.note
        self._limit = BodyLimit(most_bytes, most_bytes)
        self._body_wait_s = settings.body_wait_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        exchange = exchange_of(scope)
        exchange.stage = "authenticate"
        if guard_of(scope["path"]) != "public":
            try:
                token, is_signed = presented_token(scope["headers"])
                known = self._authenticator.known(token) or await self._found(token, exchange.address)
                exchange.principal = known.principal
                if is_signed or known.principal.policy.is_signed:
                    receive = await self._checked(scope, receive, known)
                if known.principal.token_id is not None:
                    self._note_use(known.principal.token_id)
            except CredentialError as error:
                self._refuse(error, exchange, scope)
                raise
        await self._app(scope, receive, send)

    async def _found(self, token: bytes, address: str) -> Known:
        wait_s = self._refusals.peek(address)
        if wait_s > 0 and not self._authenticator.was_valid(token):
            raise ThrottledError(
                "address_throttled",
                "Too many tokens that came from this address were refused: wait, and check the token.",
                headers={"Retry-After": str(math.ceil(wait_s))},
            )
        return await self._authenticator.find(token)

    async def _checked(self, scope: Scope, receive: Receive, known: Known) -> Receive:
        """Return what gives the body again, which the signature of the request fits."""
        sent = self._signatures.sent(scope["headers"])
        body = await read_body(receive, self._limit, self._body_wait_s)
        text = signed_text(scope["method"], scope["raw_path"], scope["query_string"], body, sent.timestamp)
        await self._signatures.check(sent, text, known.digest, is_peppered=known.is_peppered)
        return _given_again(body, receive)

    def _refuse(self, error: CredentialError, exchange: Exchange, scope: Scope) -> None:
        """Count a refusal, tell of it, and ask for a token in the ways that this client may be asked."""
        if error.code not in ("token_missing", "signature_missing"):
            self._refusals.charge(exchange.address)
        self._observer(TokenRefused(exchange.request_id, error.code))
        error.headers = challenge_for(error)
        if offers_basic(scope["headers"]):
            exchange.answer_headers = [*(exchange.answer_headers or ()), (b"www-authenticate", BASIC)]


def _given_again(body: bytes, receive: Receive) -> Receive:
    """Return a receive whose first message is the whole body; after it come those of the server."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again
