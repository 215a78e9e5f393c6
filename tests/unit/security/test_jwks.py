"""Which keys are taken from a JWKS, and which JWTs they verify."""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.security.jwks import LEEWAY_S, claims_of, named_key, parse_keys
from tests.support.identity import AUDIENCE, ISSUER, jwk, jwks, private_key, signed

KINDS = [
    ("RSA", "RS256"),
    ("RSA", "RS384"),
    ("RSA", "RS512"),
    ("RSA", "PS256"),
    ("P-256", "ES256"),
    ("P-384", "ES384"),
    ("Ed25519", "EdDSA"),
]


def verified(token: bytes, body: bytes) -> dict[str, Any]:
    """Return the claims that a JWKS makes of a token."""
    key_id, algorithm = named_key(token)
    key = parse_keys(body).key_of(key_id, algorithm)
    if key is None:
        raise ValueError("no key")
    return claims_of(token, key, algorithm, ISSUER, AUDIENCE)


@pytest.mark.parametrize(("kind", "algorithm"), KINDS)
def test_a_jwt_of_each_algorithm_is_verified(kind: str, algorithm: str) -> None:
    """With the key it names, whether or not the key names the algorithm."""
    token = signed(kind, algorithm)

    assert verified(token, jwks(jwk("RSA", 1), jwk(kind)))["sub"] == "ada"
    assert verified(token, jwks(jwk(kind, alg=algorithm)))["sub"] == "ada"


@pytest.mark.parametrize(("kind", "algorithm"), KINDS)
def test_a_signature_of_another_key_is_refused(kind: str, algorithm: str) -> None:
    """Under the same id."""
    with pytest.raises(ValueError, match="its signature is wrong"):
        verified(signed(kind, algorithm), jwks(jwk(kind, 1, kid=f"{kind}-0")))


def test_a_key_that_names_its_algorithm_verifies_no_other() -> None:
    """RFC 8725, section 3.1."""
    with pytest.raises(ValueError, match="no key"):
        verified(signed("RSA", "RS256"), jwks(jwk("RSA", alg="PS256")))


def forged(header: dict[str, object], secret: bytes | None = None) -> bytes:
    """Return a JWT whose header says anything, signed with HMAC where there is a secret."""
    claims = {"sub": "ada", "iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 60}
    text = b".".join(spelled(json.dumps(part).encode()) for part in (header, claims))
    return text + b"." + (spelled(hmac.digest(secret, text, "sha256")) if secret else b"")


def spelled(part: bytes) -> bytes:
    return urlsafe_b64encode(part).rstrip(b"=")


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "HS512", "ES256K", "RS1", "", None, 7, ["RS256"]])
def test_no_other_algorithm_is_taken(algorithm: object) -> None:
    """Above all not none, and no HMAC, for which a public key would do as the secret."""
    public = json.dumps(jwk("RSA")).encode()
    with pytest.raises(ValueError, match=r"another algorithm|malformed"):
        verified(forged({"alg": algorithm, "kid": "RSA-0", "typ": "JWT"}, public), jwks(jwk("RSA")))


def test_an_unsigned_jwt_of_a_right_algorithm_is_refused() -> None:
    """An empty signature is a wrong one."""
    with pytest.raises(ValueError, match="its signature is wrong"):
        verified(forged({"alg": "RS256", "kid": "RSA-0"}), jwks(jwk("RSA")))


def test_a_critical_header_that_nobody_knows_refuses_the_jwt() -> None:
    """RFC 7515, section 4.1.11."""
    with pytest.raises(ValueError, match="malformed"):
        verified(signed(headers={"crit": ["exp", "x"], "x": 1}), jwks(jwk("RSA")))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exp": int(time.time()) - LEEWAY_S - 5}, "it has expired"),
        ({"nbf": int(time.time()) + 600}, "it is not valid yet"),
        ({"iat": int(time.time()) + 600}, "it is not valid yet"),
        ({"iss": "https://login.example.com"}, "it is of another issuer"),
        ({"aud": "another"}, "it is for another audience"),
        ({"aud": []}, "it lacks one of the claims"),
        ({"exp": None}, "it lacks one of the claims"),
        ({"sub": None}, "it lacks one of the claims"),
        ({"iss": None}, "it lacks one of the claims"),
        ({"aud": None}, "it lacks one of the claims"),
        ({"exp": "soon"}, "it is malformed"),
        ({"sub": 7}, "it is malformed"),
    ],
)
def test_a_wrong_or_missing_claim_refuses_the_jwt_and_is_named(changes: dict[str, Any], reason: str) -> None:
    """Its holder can read all of it anyway, and whoever sets up a provider has to find his mistake."""
    with pytest.raises(ValueError, match=reason):
        verified(signed(**changes), jwks(jwk("RSA")))


def test_one_audience_of_several_is_enough() -> None:
    """A list, as RFC 7519, section 4.1.3 allows it."""
    assert verified(signed(aud=["other", AUDIENCE]), jwks(jwk("RSA")))["sub"] == "ada"


def test_clocks_may_differ_a_little() -> None:
    """An end that was a moment ago."""
    assert verified(signed(exp=int(time.time()) - LEEWAY_S + 5), jwks(jwk("RSA")))["sub"] == "ada"


def test_without_a_key_id_the_only_key_of_the_algorithm_is_taken() -> None:
    """Of several none: which one is not guessed."""
    token = signed(headers={"kid": None})

    assert verified(token, jwks(jwk("RSA", kid=None), jwk("P-256")))["sub"] == "ada"
    with pytest.raises(ValueError, match="no key"):
        verified(token, jwks(jwk("RSA"), jwk("RSA", 1)))


def test_keys_of_no_use_are_left_out() -> None:
    """Encryption, symmetric ones, other curves, too short ones, what is no key: each alone is as good as none."""
    useless: list[Any] = [
        jwk("RSA", use="enc"),
        jwk("weak"),
        jwk("P-521"),
        jwk("P-256", crv="P-384"),
        jwk("RSA", alg="RSA-OAEP"),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "oct"},
        {"kty": "RSA", "kid": "x"},
        {"kid": "x"},
        "a key",
        None,
    ]
    for entry in useless:
        with pytest.raises(ValueError, match="it has no key for any of RS256, RS384, RS512, PS256, ES256"):
            parse_keys(jwks(entry))

    assert verified(signed(), jwks(*useless, jwk("RSA")))["sub"] == "ada"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"key": []}', b"[" * 100_000, b"\xff"])
def test_what_is_no_jwks_is_refused(body: bytes) -> None:
    """A page of an error, for instance."""
    with pytest.raises(ValueError, match="it is no JWKS"):
        parse_keys(body)


def test_a_private_key_in_the_jwks_is_read_as_a_public_one() -> None:
    """Whoever publishes one has another problem; nothing here ever holds it."""
    whole = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private_key("RSA", 0))) | {"kid": "RSA-0"}
    whole.pop("key_ops")

    assert verified(signed(), jwks(whole))["sub"] == "ada"


@given(st.lists(st.binary(max_size=60), min_size=3, max_size=3))
def test_garbage_is_no_jwt(parts: list[bytes]) -> None:
    """Whatever stands in the three parts, the answer is a reason and never an exception of another kind."""
    with pytest.raises(ValueError, match="it is"):
        named_key(b".".join(map(spelled, parts)))
