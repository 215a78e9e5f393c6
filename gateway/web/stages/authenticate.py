"""Stage 3, authenticate: finds out who asks; nothing behind it answers without a token.

A token that was valid a moment ago costs a look into a dict. Whatever might be a guess counts against
the address that it came from: one that had too many refused gets 429 before anything is looked up, but
for tokens that were valid when they last came here: who shares an address with a guesser goes on. A
token that has ended is no guess: a program that goes on sending one keeps nobody else out.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import CredentialError, ThrottledError
from gateway.observe import TokenRefused
from gateway.security.authenticate import Known
from gateway.security.credentials import BASIC, challenge_for, offers_basic, presented_token
from gateway.security.signatures import signed_text
from gateway.web.exchange import EXCHANGE, Exchange, exchange_of
from gateway.web.guards import guard_of
from gateway.web.parts import Parts
from gateway.web.sampling import Sampling
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
        self._sampling = Sampling(settings.audit_one_in)
        self._note_use = parts.last_used.note
        self._limit = BodyLimit(most_bytes, most_bytes)
        self._body_wait_s = settings.body_wait_s

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request; a caller that is known, and need not sign, is told at once."""
        exchange: Exchange = scope[EXCHANGE]
        exchange.stage = "authenticate"
        if guard_of(scope["path"]) == "public":
            return self._app(scope, receive, send)
        try:
            token, is_signed = presented_token(scope["headers"])
        except CredentialError as error:
            self._refuse(error, exchange, scope, is_guess=False)
            raise
        known = self._authenticator.known(token)
        if known is None or is_signed or known.principal.policy.is_signed:
            return self._serve_unknown(token, known, is_signed, scope, receive, send)
        self._note(exchange, known)
        return self._app(scope, receive, send)

    async def _serve_unknown(
        self, token: bytes, known: Known | None, is_signed: bool, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Serve one request whose token has to be looked up, or its signature checked."""
        exchange = exchange_of(scope)
        try:
            known = known or await self._found(token, exchange.address)
            exchange.principal = known.principal
            if is_signed or known.principal.policy.is_signed:
                receive = await self._checked(scope, receive, known)
        except CredentialError as error:
            self._refuse(error, exchange, scope, is_guess=self._is_guess(error, token, known))
            raise
        self._note(exchange, known)
        await self._app(scope, receive, send)

    def _note(self, exchange: Exchange, known: Known) -> None:
        principal = exchange.principal = known.principal
        if principal.token_id is not None:
            self._note_use(principal.token_id)

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

    def _is_guess(self, error: CredentialError, token: bytes, known: Known | None) -> bool:
        """Whether what was refused may be an attempt: not what has ended, and no signature that opens nothing."""
        if known is None:
            return not self._authenticator.has_ended(token)
        return error.code != "signature_missing" and known.principal.policy.is_signed

    def _refuse(self, error: CredentialError, exchange: Exchange, scope: Scope, *, is_guess: bool) -> None:
        """Count a guess, tell of a refusal, and ask for a token in the ways that this client may be asked."""
        if is_guess:
            self._refusals.charge(exchange.address)
        stands_for = self._sampling.stands_for(error.code, exchange.address)
        if stands_for:  # strangers cannot fill the log
            self._observer(TokenRefused(exchange.request_id, error.code, stands_for))
        error.headers = challenge_for(error)
        if offers_basic(scope["headers"]):
            exchange.answer_headers = [*(exchange.answer_headers or ()), (b"www-authenticate", BASIC)]


def _given_again(body: bytes, receive: Receive) -> Receive:
    """Return a receive whose first message is the whole body; after it come those of the server."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again
