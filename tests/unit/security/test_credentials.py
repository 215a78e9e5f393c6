"""Which headers count as a token, and how a refusal asks for one."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import CredentialError, GatewayError, RequestError
from gateway.security.credentials import challenge_for, offers_basic, presented_token, token_invalid
from gateway.security.tokens import token_of

TOKEN = token_of(bytes(range(32))).encode()
OTHER = token_of(bytes(32)).encode()


def basic(user: bytes, password: bytes) -> bytes:
    return b"Basic " + b64encode(user + b":" + password)


@pytest.mark.parametrize(
    "headers",
    [
        ((b"authorization", b"Bearer " + TOKEN),),
        ((b"authorization", b"bearer   " + TOKEN + b" "),),
        ((b"authorization", basic(b"", TOKEN)),),
        ((b"authorization", basic(b"Zo\xc3\xab", TOKEN)),),
        ((b"authorization", b"bAsIc " + basic(b"excel", TOKEN).partition(b" ")[2]),),
        ((b"authtoken", TOKEN),),
        ((b"x-api-key", b" " + TOKEN),),
        ((b"host", b"crm.example"), (b"x-api-key", TOKEN), (b"accept", b"*/*")),
        ((b"authorization", b"Bearer " + TOKEN), (b"x-api-key", TOKEN)),
        ((b"authorization", basic(b"bi", TOKEN)), (b"authtoken", TOKEN)),
        ((b"authorization", b"Bearer " + TOKEN), (b"authorization", b"Bearer " + TOKEN)),
        ((b"authtoken", b""), (b"x-api-key", TOKEN)),
    ],
)
def test_the_token_is_found_in_each_header(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    """As a bearer token, under two names of its own, or as the password of any user; the same one twice is fine."""
    assert presented_token(headers) == (TOKEN, False)


@pytest.mark.parametrize("foreign", [basic(b"proxy", b"proxy"), b"Basic !", b"Digest username=x", b"Negotiate abc"])
def test_a_proxys_own_credentials_are_not_in_the_way(foreign: bytes) -> None:
    """Where another header holds the token, what a proxy was sent is nobody's business here."""
    assert presented_token([(b"authorization", foreign), (b"authtoken", TOKEN)]) == (TOKEN, False)


@pytest.mark.parametrize("name", [b"x-signature", b"x-signature-timestamp"])
def test_a_header_of_a_signature_is_noticed(name: bytes) -> None:
    """Even one alone: nothing that a client sends to prove itself is passed over."""
    assert presented_token([(name, b""), (b"authtoken", TOKEN)]) == (TOKEN, True)


@pytest.mark.parametrize(
    ("headers", "start"),
    [
        ((), "The request carries no token"),
        (((b"host", b"crm.example"),), "The request carries no token"),
        (((b"authorization", b""),), "The request carries no token"),
        (((b"authorization", b"Bearer"),), "The request carries no token"),
        (((b"authorization", b"Bearer  "),), "The request carries no token"),
        (((b"cookie", b"authtoken=" + TOKEN),), "The request carries no token"),
        (((b"authorization", TOKEN),), "The Authorization header holds no bearer token"),
        (((b"authorization", b"Digest " + TOKEN),), "The Authorization header holds no bearer token"),
        (((b"authorization", basic(TOKEN, b"")),), "The Basic credentials have no password"),
        (((b"authorization", b"Basic " + b64encode(TOKEN)),), "The Basic credentials have no password"),
    ],
)
def test_without_a_token_the_answer_says_how_to_send_one(headers: tuple[tuple[bytes, bytes], ...], start: str) -> None:
    """And what was wrong with what was sent instead, without repeating it."""
    with pytest.raises(CredentialError) as caught:
        presented_token(headers)

    assert caught.value.code == "token_missing"
    assert caught.value.detail.startswith(start)
    assert "Authorization: Bearer <token>" in caught.value.detail
    assert TOKEN.decode() not in caught.value.detail


@pytest.mark.parametrize("first", [b"authorization", b"authtoken", b"x-api-key"])
def test_different_tokens_in_one_request_are_refused(first: bytes) -> None:
    """Which one was meant is not guessed, and neither is repeated in the message."""
    with pytest.raises(RequestError) as caught:
        presented_token([(first, b"Bearer " + TOKEN), (b"x-api-key", OTHER)])

    assert caught.value.code == "parameter_conflict"
    assert caught.value.headers == {"WWW-Authenticate": 'Bearer realm="gateway", error="invalid_request"'}
    assert OTHER.decode() not in caught.value.detail


def test_a_different_token_as_a_password_is_refused_too() -> None:
    """A password that begins like a token is one, not a proxy's."""
    with pytest.raises(RequestError) as caught:
        presented_token([(b"authorization", basic(b"bi", OTHER)), (b"authtoken", TOKEN)])

    assert caught.value.code == "parameter_conflict"


def test_two_passwords_are_refused_too() -> None:
    """Neither of them is passed over."""
    with pytest.raises(RequestError) as caught:
        presented_token([(b"authorization", basic(b"bi", TOKEN)), (b"authorization", basic(b"bi", OTHER))])

    assert caught.value.code == "parameter_conflict"


@pytest.mark.parametrize("rest", [b"!", b"abc", TOKEN + b"=", b"a b"])
def test_basic_credentials_that_are_no_base64_are_refused_as_malformed(rest: bytes) -> None:
    """400 and the reason: a client with a bug must not search for a wrong token."""
    with pytest.raises(RequestError) as caught:
        presented_token([(b"authorization", b"Basic " + rest)])

    assert caught.value.code == "header_invalid"


def test_the_challenge_tells_a_missing_token_from_a_refused_one() -> None:
    """RFC 6750, section 3.1: no error where nothing was presented."""
    assert challenge_for(CredentialError("token_missing", "None.")) == {"WWW-Authenticate": 'Bearer realm="gateway"'}
    assert challenge_for(token_invalid()) == {"WWW-Authenticate": 'Bearer realm="gateway", error="invalid_token"'}


@pytest.mark.parametrize(
    ("headers", "offered"),
    [
        ((), True),
        (((b"user-agent", b"Microsoft.Data.Mashup"),), True),
        (((b"sec-fetch-mode", b"navigate"),), True),
        (((b"sec-fetch-mode", b"cors"),), False),
        (((b"sec-fetch-mode", b"same-origin"),), False),
    ],
)
def test_a_page_s_script_never_makes_the_browser_ask_for_a_password(
    headers: tuple[tuple[bytes, bytes], ...], offered: bool
) -> None:
    """Everybody else is offered Basic: Excel asks its user for a token only then."""
    assert offers_basic(headers) is offered


NAMES = st.sampled_from([b"authorization", b"authtoken", b"x-api-key", b"cookie", b"x-signature"])
VALUES = st.one_of(
    st.binary(max_size=80),
    st.binary(max_size=80).map(lambda rest: b"Bearer " + rest),
    st.binary(max_size=80).map(lambda rest: b"Basic " + rest),
    st.binary(max_size=80).map(lambda rest: b"Basic " + b64encode(rest)),
)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=4))
def test_whatever_the_headers_hold_the_answer_is_a_token_or_a_refusal(headers: list[tuple[bytes, bytes]]) -> None:
    """Never an exception of another kind, and never a token that nobody sent."""
    try:
        outcome: bytes | str = presented_token(headers)[0]
    except GatewayError as error:
        outcome = error.code

    assert outcome in ("token_missing", "parameter_conflict", "header_invalid") or isinstance(outcome, bytes)
    assert outcome
