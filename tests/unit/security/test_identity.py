"""Whose JWT it is, what its claims grant, and what is refused rather than guessed."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest

from gateway.errors import ConfigurationError, CredentialError, UnavailableError
from gateway.observe import Event
from gateway.security.authenticate import Authenticator
from gateway.security.identity import MOST_SUBJECT, REUSE_S, Identities, Identity, looks_like_jwt, open_identities
from gateway.security.policy import NO_POLICY, Policy
from gateway.security.rates import Rate
from gateway.security.tokens import new_token
from gateway.settings import Settings
from tests.support.identity import AUDIENCE, ISSUER, Provider, jwk, jwks, private_key, signed

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    place = tmp_path / "keys.json"
    place.write_bytes(jwks(jwk("RSA"), jwk("P-256")))
    return place


def settings(keys: object, **changes: Any) -> Settings:
    return Settings(**{"jwt_keys": str(keys), "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE, **changes})


def opened(keys: object, **changes: Any) -> Identities:
    events: list[Event] = []
    identities = open_identities(settings(keys, **changes), events.append)
    assert identities is not None
    return identities


async def identity(path: Path, **claims: Any) -> Identity:
    return await opened(path).identity_of(signed(**claims))


async def test_a_jwt_is_a_principal_of_its_subject(path: Path) -> None:
    """Never an administrator, whatever it claims, and no stored token."""
    exp = int(time.time()) + 600
    found = await identity(path, exp=exp, gateway_grants=["clients:read"], gateway_admin=True, is_admin=True)
    principal = found.principal

    assert principal.name == "jwt:ada"
    assert principal.key.startswith("jwt:")
    assert principal.key.endswith(":ada")
    assert (principal.grants, principal.is_admin, principal.staff_id, principal.token_id) == (
        ("clients:read",),
        False,
        None,
        None,
    )
    assert principal.policy is NO_POLICY
    assert principal.expires_at == principal.ends_at == datetime.fromtimestamp(exp, UTC)
    assert found.good_for_s == REUSE_S


async def test_it_is_remembered_no_longer_than_it_is_good(path: Path) -> None:
    """Within the leeway for clocks it is verified each time."""
    now = int(time.time())
    assert 0 < (await identity(path, exp=now + 20)).good_for_s <= 20
    assert (await identity(path, exp=now - 3)).good_for_s == 0.0


async def test_principals_of_two_issuers_are_apart(path: Path) -> None:
    """Their rates are counted apart."""
    other = "https://other.example.com/"
    found = await opened(path, jwt_issuer=other).identity_of(signed(iss=other))

    assert found.principal.key != (await identity(path)).principal.key


async def test_long_subjects_are_cut_and_stay_apart(path: Path) -> None:
    """So that they fit into every store, and no other subject can be made to look like them."""
    names = set()
    for subject in ("x" * 200, "x" * 199, "x" * (MOST_SUBJECT - 1)):
        names.add((await identity(path, sub=subject)).principal.name)
    names |= {(await identity(path, sub=name.removeprefix("jwt:"))).principal.name for name in names}

    assert len(names) == 5
    assert max(map(len, names)) == len("jwt:") + MOST_SUBJECT


@pytest.mark.parametrize("subject", ["", "  ", "a\nb", "a\x00b"])
async def test_a_subject_that_cannot_be_shown_is_refused(path: Path, subject: str) -> None:
    """It stands in lists and logs."""
    with pytest.raises(CredentialError, match="its subject"):
        await identity(path, sub=subject)


@pytest.mark.parametrize(
    ("claim", "grants"),
    [
        (None, ()),
        ("", ()),
        ([], ()),
        ("clients:read", ("clients:read",)),
        ("clients:read,create invoices:read", ("clients:read,create", "invoices:read")),
        ("clients:read,create,invoices:read", ("clients:read,create", "invoices:read")),
        (["clients:create, read", "*:read"], ("clients:read,create", "*:read")),
        ("clients:read clients:update", ("clients:read,update",)),
    ],
)
async def test_grants_are_a_list_or_a_text(path: Path, claim: object, grants: tuple[str, ...]) -> None:
    """In the language of grants; none is none."""
    assert (await identity(path, gateway_grants=claim)).principal.grants == grants


@pytest.mark.parametrize(
    "claim", ["clients", "read", ",read", "clients:write", 7, {"clients": "read"}, ["clients"], [7]]
)
async def test_grants_that_are_none_refuse_the_whole_jwt(path: Path, claim: object) -> None:
    """A mistake at the provider is told, not served as if something less had been meant."""
    with pytest.raises(CredentialError) as caught:
        await identity(path, gateway_grants=claim)

    assert caught.value.code == "token_invalid"


async def test_the_claim_of_grants_can_be_another(path: Path) -> None:
    """Providers that want a URL as the name of a claim are many."""
    identities = opened(path, jwt_grants_claim="https://crm.example.com/grants")
    claims: dict[str, Any] = {"https://crm.example.com/grants": "clients:read", "gateway_grants": "*:*"}
    token = signed(**claims)

    assert (await identities.identity_of(token)).principal.grants == ("clients:read",)


async def test_a_claim_can_hold_a_policy(path: Path) -> None:
    """As it narrows a token, so it narrows the JWT."""
    policy = {
        "readable": {"clients": ["userid", "company"]},
        "rows": {"invoices": ["clientid=12"]},
        "addresses": ["10.0.0.0/8"],
        "most_rows": 50,
        "rate": "60/min",
        "is_signed": False,
    }

    assert (await identity(path, gateway_policy=policy)).principal.policy == Policy(
        readable=(("clients", ("userid", "company")),),
        rows=(("invoices", ("clientid=12",)),),
        addresses=("10.0.0.0/8",),
        most_rows=50,
        rate=Rate(60, 60),
    )


@pytest.mark.parametrize(
    "policy",
    [
        [],
        "readable",
        {"readible": {"clients": ["userid"]}},
        {"readable": ["userid"]},
        {"readable": {"clients": "userid"}},
        {"readable": {"clients": []}},
        {},
        {"is_signed": False},
        {"rows": {"invoices": [12]}},
        {"rows": {"invoices": [""]}},
        {"addresses": "10.0.0.0/8"},
        {"addresses": []},
        {"origins": [None]},
        {"most_rows": 0},
        {"most_rows": True},
        {"most_rows": "50"},
        {"rate": 60},
        {"rate": "sixty"},
        {"is_signed": True},
        {"is_signed": 0},
        {"lineage": "another's"},
        {"addresses": None},
        {"addresses": ["10.0.0.0/99"]},
        {"rows": {"invoices": ["clientid"]}},
    ],
)
async def test_a_policy_that_is_not_understood_refuses_the_whole_jwt(path: Path, policy: object) -> None:
    """Left out it would widen what was meant to be narrow; so would a list of nothing, which limits nothing."""
    with pytest.raises(CredentialError) as caught:
        await identity(path, gateway_policy=policy)

    assert caught.value.code == "token_invalid"
    assert "its claim gateway_policy" in caught.value.detail


async def test_a_policy_that_is_null_refuses_the_whole_jwt(path: Path) -> None:
    """As a template leaves it for a subject that has none: that it should be unlimited is not said."""
    now = int(time.time())
    given = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": now + 60, "gateway_policy": None}
    token = jwt.encode(given, private_key("RSA", 0), "RS256", headers={"kid": "RSA-0"}).encode()
    with pytest.raises(CredentialError, match="its claim gateway_policy is no object"):
        await opened(path).identity_of(token)


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (signed(aud="another"), "it is for another audience"),
        (signed(number=1), "its key is none of the identity provider's"),
        (signed("P-256", "ES256", headers={"kid": "RSA-0"}), "its key is none of the identity provider's"),
        (b"a.b.c", "it is malformed"),
        (signed(pad="x" * 9_000), "it is longer than 8192 characters"),
    ],
)
async def test_the_refusal_says_why(path: Path, token: bytes, reason: str) -> None:
    """Nothing in it that its holder did not send."""
    with pytest.raises(CredentialError) as caught:
        await opened(path).identity_of(token)

    assert (caught.value.code, caught.value.detail) == ("token_invalid", f"The JWT is not accepted: {reason}.")


def test_no_token_of_the_gateway_has_the_form_of_a_jwt() -> None:
    """Which of the two is looked at is never in doubt."""
    assert looks_like_jwt(signed())
    assert not any(
        looks_like_jwt(text) for text in (new_token().text.encode(), b"a.b", b"a.b.c.d", b"a.b.", b"a b.c.d")
    )


# With the authenticator


async def test_a_jwt_is_verified_once_and_then_known(path: Path) -> None:
    """Until it has to be verified again, or expires."""
    seconds = 0.0
    authenticator = Authenticator(lambda _: (), identities=opened(path), monotonic=lambda: seconds)
    token = signed(gateway_grants="clients:read")
    assert authenticator.known(token) is None
    known = await authenticator.find(token)
    seconds = REUSE_S - 1
    assert authenticator.known(token) is known
    assert (known.digest, known.is_peppered) == (b"", False)
    seconds = REUSE_S
    assert authenticator.known(token) is None
    again = await authenticator.find(token)

    assert again.principal is known.principal
    assert authenticator.lookups == 0


async def test_without_the_setting_a_jwt_is_no_token() -> None:
    """Refused like any garbage, and nobody is asked."""
    with pytest.raises(CredentialError) as caught:
        await Authenticator(lambda _: 1 / 0).find(signed())  # type: ignore[arg-type, return-value]  # it must not be asked

    assert "JWT" not in caught.value.detail


async def test_a_provider_that_is_away_is_503(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows whether the JWT is good; tokens of the gateway's own are not concerned."""
    monkeypatch.setenv("no_proxy", "*")
    with Provider.serving(jwk("RSA")) as provider:
        provider.status = 500
        with pytest.raises(UnavailableError) as caught:
            await opened(provider.url).identity_of(signed())

    assert caught.value.code == "identity_away"


async def test_keys_from_a_url_are_fetched_when_the_first_jwt_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not at the start, which does not depend on the provider."""
    monkeypatch.setenv("no_proxy", "*")
    with Provider.serving(jwk("RSA")) as provider:
        identities = opened(provider.url)
        assert provider.asked == []
        assert (await identities.identity_of(signed())).principal.name == "jwt:ada"

    assert provider.asked == ["/keys"]


# At the start


def test_without_keys_there_is_nothing_to_verify_with() -> None:
    """The default."""
    events: list[Event] = []

    assert open_identities(Settings(), events.append) is None


@pytest.mark.parametrize("body", [None, b"", b'{"keys": []}'])
def test_a_file_without_keys_is_refused_at_the_start(tmp_path: Path, body: bytes | None) -> None:
    """As is one that is not there."""
    path = tmp_path / "keys.json"
    if body is not None:
        path.write_bytes(body)
    with pytest.raises(ConfigurationError, match=r"GATEWAY_JWT_KEYS: .*keys\.json holds no keys: "):
        opened(path)


def test_the_missing_extra_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install."""
    monkeypatch.delitem(sys.modules, "gateway.security.jwks", raising=False)
    monkeypatch.delattr("gateway.security.jwks", raising=False)
    monkeypatch.setitem(sys.modules, "jwt", None)
    with pytest.raises(ConfigurationError, match=r"install perfex-gateway\[jwt\]"):
        opened(path)


@pytest.mark.parametrize("exp", [1e18, 10**30])
async def test_an_expiry_that_no_calendar_has_is_refused_in_our_own_words(path: Path, exp: float) -> None:
    """What the platform says of it concerns nobody."""
    with pytest.raises(CredentialError) as caught:
        await identity(path, exp=exp)

    assert caught.value.detail == "The JWT is not accepted: its expiry (exp) is no time that a calendar has."


async def test_a_jwt_that_has_expired_is_told_from_a_guess(path: Path) -> None:
    """A worker that took it once knows it; it is valid no more."""
    now = int(time.time())
    token, other = signed(exp=now + 60), signed(exp=now - 60)
    authenticator = Authenticator(lambda _: (), identities=opened(path))
    await authenticator.find(token)
    assert authenticator.was_valid(token)
    authenticator._identities = opened(path, jwt_audience="another")
    for item in (token, other):
        with pytest.raises(CredentialError):
            await authenticator.find(item)

    assert [authenticator.has_ended(item) for item in (token, other)] == [True, False]
    assert not authenticator.was_valid(token)
