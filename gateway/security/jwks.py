"""JSON Web Keys and the JWTs they verify: all that needs the extra ``jwt``.

Only asymmetric algorithms, each only with keys of its own kind: what a JWT says of its algorithm
chooses among those of the key it names, and nothing else.

Source: RFC 7517; RFC 8725, sections 3.1, 3.2 and 3.9.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt

ALGORITHMS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("RSA", ""): ("RS256", "RS384", "RS512", "PS256"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("OKP", "Ed25519"): ("EdDSA",),
}
"""Algorithms by type of key and curve."""

LEEWAY_S: Final = 10
"""What clocks may differ by."""

LEAST_RSA_BITS: Final = 2_048

_PUBLIC: Final = frozenset({"kty", "crv", "n", "e", "x", "y"})
_REQUIRED: Final = ("exp", "iss", "aud", "sub")


@dataclass(frozen=True, slots=True)
class Keys:
    """Public keys by id and algorithm; the id is None for a key that has none."""

    by_name: Mapping[tuple[str | None, str], jwt.PyJWK]

    def key_of(self, key_id: str | None, algorithm: str) -> object | None:
        """Return the key of an id; without an id the only key that there is for the algorithm."""
        if key_id is not None:
            return self.by_name.get((key_id, algorithm))
        found = [key for (_, name), key in self.by_name.items() if name == algorithm]
        return found[0] if len(found) == 1 else None


def parse_keys(body: bytes) -> Keys:
    """Return the keys of a JWKS that can verify signatures; others, of encryption for instance, are left out.

    Raises:
        ValueError: it is no JWKS, or has no such key.
    """
    try:
        given = json.loads(body)
        entries = given["keys"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError('it is no JWKS, which is a JSON object with a list "keys"') from error
    keys: dict[tuple[str | None, str], jwt.PyJWK] = {}
    for entry in entries if isinstance(entries, list) else ():
        for name, key in _keys_of(entry):
            keys.setdefault(name, key)
    if not keys:
        known = ", ".join(word for words in ALGORITHMS.values() for word in words)
        raise ValueError(f"it has no key for any of {known}")
    return Keys(keys)


def _keys_of(entry: Any) -> Iterator[tuple[tuple[str | None, str], jwt.PyJWK]]:
    """The key of one entry, once for each algorithm it is good for; nothing for a key that is of no use here."""
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return
    kind = (str(entry.get("kty", "")), str(entry.get("crv", "")))
    key_id = entry.get("kid")
    for algorithm in ALGORITHMS.get(kind, ()):
        if entry.get("alg", algorithm) != algorithm:
            continue
        try:
            key = jwt.PyJWK({name: value for name, value in entry.items() if name in _PUBLIC}, algorithm)
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            continue
        if getattr(key.key, "key_size", LEAST_RSA_BITS) >= LEAST_RSA_BITS or kind[0] != "RSA":
            yield (key_id if isinstance(key_id, str) else None, algorithm), key


def named_key(presented: bytes) -> tuple[str | None, str]:
    """Return the key id and the algorithm that a JWT's header names; nothing of it is proven.

    Raises:
        ValueError: it is no JWT, or of another algorithm than may be.
    """
    try:
        header = jwt.get_unverified_header(presented)
    except (jwt.PyJWTError, ValueError) as error:
        raise ValueError("it is malformed") from error
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or not any(algorithm in words for words in ALGORITHMS.values()):
        raise ValueError("it is signed with another algorithm than may be")
    return key_id, algorithm


def claims_of(presented: bytes, key: object, algorithm: str, issuer: str, audience: str) -> dict[str, Any]:
    """Return the claims of a JWT whose signature, times, issuer and audience are right.

    Raises:
        ValueError: saying what is not.
    """
    assert isinstance(key, jwt.PyJWK)
    try:
        return jwt.decode(
            presented,
            key,
            algorithms=[algorithm],
            issuer=issuer,
            audience=audience,
            leeway=LEEWAY_S,
            options={"require": list(_REQUIRED)},
        )
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(_reason(error)) from error


def _reason(error: Exception) -> str:
    for kind, text in _REASONS.items():
        if isinstance(error, kind):
            return text
    return "it is malformed"


_REASONS: Final[Mapping[type[Exception], str]] = {
    jwt.ExpiredSignatureError: "it has expired",
    jwt.ImmatureSignatureError: "it is not valid yet",
    jwt.InvalidAudienceError: "it is for another audience",
    jwt.InvalidIssuerError: "it is of another issuer",
    jwt.MissingRequiredClaimError: f"it lacks one of the claims {', '.join(_REQUIRED)}",
    jwt.InvalidSignatureError: "its signature is wrong",
}
