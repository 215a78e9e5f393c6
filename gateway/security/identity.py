"""JWTs of an identity provider as tokens: whose they are, and what their claims grant.

What comes in: a JWT as presented. What goes out: a `Principal` and for how long it may be
remembered. A JWT cannot be revoked here: it is good until it expires. Administration is never
granted by one. Whatever a claim holds that is not understood refuses the whole JWT.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from types import ModuleType
from typing import Any, Final

from gateway.errors import ConfigurationError, ValidationError
from gateway.observe import Observer
from gateway.security.credentials import token_invalid
from gateway.security.grants import parse_grants
from gateway.security.keys import KeyRing, is_url
from gateway.security.policy import NO_POLICY, Policy
from gateway.security.principal import Principal
from gateway.security.wanted import read_policy
from gateway.settings import Settings

POLICY_CLAIM: Final = "gateway_policy"
REUSE_S: Final = 60.0
"""How long a JWT that was verified is taken for good without verifying it again, should it not expire before."""

MOST_BYTES: Final = 8_192
MOST_SUBJECT: Final = 120
"""The length from which on a subject is told by its beginning and a digest, in just so many characters."""

_FORM: Final = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a JWT stands for, and how many seconds that may be remembered."""

    principal: Principal
    good_for_s: float


class Identities:
    """Verifies JWTs of one issuer for one audience."""

    def __init__(
        self,
        jwks: ModuleType,
        keys: KeyRing,
        issuer: str,
        audience: str,
        grants_claim: str,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._jwks = jwks
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._grants_claim = grants_claim
        self._clock = clock
        self._scope = f"jwt:{sha256(issuer.encode()).hexdigest()[:16]}"

    async def identity_of(self, presented: bytes) -> Identity:
        """Return whose JWT it is.

        Raises:
            CredentialError: ``token_invalid``; the detail says why, which its holder could find out as well.
            UnavailableError: ``identity_away``.
        """
        try:
            if len(presented) > MOST_BYTES:
                raise ValueError(f"it is longer than {MOST_BYTES} characters")
            key_id, algorithm = self._jwks.named_key(presented)
            key = await self._keys.key_of(key_id, algorithm)
            if key is None:
                raise ValueError("its key is none of the identity provider's")
            claims = self._jwks.claims_of(presented, key, algorithm, self._issuer, self._audience)
            return self._identity(claims)
        except (ValueError, ConfigurationError) as error:
            raise token_invalid(f"The JWT is not accepted: {error}.") from error

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        subject = _subject(claims["sub"])
        ends_at = _end(claims["exp"])
        principal = Principal(
            f"{self._scope}:{subject}",
            f"jwt:{subject}",
            _grants(self._grants_claim, claims.get(self._grants_claim)),
            expires_at=ends_at,
            ends_at=ends_at,
            policy=_policy(claims),
        )
        # Within the leeway for clocks a JWT may be over by our own: then it is verified at each use.
        return Identity(principal, max(0.0, min(REUSE_S, ends_at.timestamp() - self._clock())))


def looks_like_jwt(presented: bytes) -> bool:
    """Whether bytes have the form of a signed JWT, which no token of the gateway's own has.

    >>> looks_like_jwt(b"eyJhbGciOiJub25lIn0.e30.c2ln"), looks_like_jwt(b"gw_live_0")
    (True, False)
    """
    return _FORM.fullmatch(presented) is not None


def open_identities(settings: Settings, observer: Observer) -> Identities | None:
    """Return what verifies JWTs, None where the settings name no keys. Keys in a file are read now.

    Raises:
        ConfigurationError: the settings are incomplete, the extra is missing, or a file holds no keys.
    """
    if not settings.jwt_keys:
        return None
    try:
        from gateway.security import jwks  # noqa: PLC0415  # PyJWT and cryptography are an extra
    except ImportError as error:
        raise ConfigurationError(
            "GATEWAY_JWT_KEYS is set, and what verifies JWTs is not installed: install perfex-gateway[jwt]."
        ) from error
    keys = KeyRing(settings.jwt_keys, jwks.parse_keys, observer)
    if not is_url(settings.jwt_keys):
        try:
            keys.load()
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"GATEWAY_JWT_KEYS: {settings.jwt_keys} holds no keys: {error}.") from error
    return Identities(jwks, keys, settings.jwt_issuer, settings.jwt_audience, settings.jwt_grants_claim)


def _end(given: Any) -> datetime:
    """The moment of an expiry that was verified: a number, or the text of one."""
    try:
        return datetime.fromtimestamp(int(given), UTC)
    except (ValueError, TypeError, OverflowError, OSError) as error:
        raise ValueError("its expiry (exp) is no time that a calendar has") from error


def _subject(given: Any) -> str:
    """The subject as names and scopes hold it: short enough for every database, and no two alike."""
    if not isinstance(given, str) or not given.strip() or not given.isprintable():
        raise ValueError("its subject (sub) is no printable text")
    if len(given) < MOST_SUBJECT:
        return given
    return f"{given[: MOST_SUBJECT - 33]}~{sha256(given.encode()).hexdigest()[:32]}"


def _grants(claim: str, given: Any) -> tuple[str, ...]:
    """Grants as a list of texts, or as one text of them with spaces or commas in between."""
    if given is None:
        return ()
    texts = grant_texts(given) if isinstance(given, str) else given
    if not isinstance(texts, Sequence) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"its claim {claim} is neither a text nor a list of texts")
    return tuple(str(rule) for rule in parse_grants(texts))


def grant_texts(text: str) -> list[str]:
    """Return the grants of one text: a comma before a word without a colon goes on with the operations.

    >>> grant_texts("invoices:read,create clients:read,leads:*")
    ['invoices:read,create', 'clients:read', 'leads:*']
    """
    found: list[str] = []
    for word in text.split():
        for index, piece in enumerate(word.split(",")):
            if index and ":" not in piece:
                found[-1] = f"{found[-1]},{piece}"
            else:
                found.append(piece)
    return found


def _policy(claims: Mapping[str, Any]) -> Policy:
    """The policy that the claims hold, in the form that the administration's has.

    What is not understood could only widen it, and so could what a provider's template left empty.
    """
    if POLICY_CLAIM not in claims:
        return NO_POLICY
    given = claims[POLICY_CLAIM]
    if not isinstance(given, dict):
        raise ValueError(f"its claim {POLICY_CLAIM} is no object")
    empty = [name for name, value in given.items() if value in (None, "", [], {})]
    if empty:
        raise ValueError(f"its claim {POLICY_CLAIM} has an empty member, which would allow anything: {empty[0]!r}")
    if given.get("is_signed"):
        raise ValueError(f"its claim {POLICY_CLAIM} asks for signatures, and there is no secret to sign with")
    try:
        policy = read_policy(given)
    except ValidationError as error:
        told = "; ".join(f"{issue.pointer}: {issue.message}" for issue in error.issues)
        raise ValueError(f"its claim {POLICY_CLAIM} is not usable: {told}") from error
    if policy == NO_POLICY:
        raise ValueError(f"its claim {POLICY_CLAIM} limits nothing: leave it out where that is meant")
    return policy
