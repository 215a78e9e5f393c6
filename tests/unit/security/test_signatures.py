"""What is signed, with which secret, and how a signature's headers are read."""

from __future__ import annotations

import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import CredentialError, RequestError
from gateway.security.signatures import (
    SentSignature,
    sent_signature,
    signature_of,
    signed_text,
    signing_key,
    signing_secret,
)

DIGEST = bytes(range(32))
HEX = b"0123456789abcdef" * 4
LINES = st.binary(max_size=20).filter(lambda text: b"\n" not in text)


def test_a_secret_has_a_form_of_its_own() -> None:
    """Scanners find it, a double click selects it, and it is no token."""
    assert re.fullmatch(r"gws_[0-9A-Za-z]{43}", signing_secret(b"key", DIGEST))


@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(min_size=32, max_size=32), st.binary(max_size=32))
def test_each_token_and_each_key_have_a_secret_of_their_own(
    key: bytes, other_key: bytes, digest: bytes, other: bytes
) -> None:
    """The same token always the same, so that nothing has to be stored."""
    is_same = hmac.new(key, digest, "sha256").digest() == hmac.new(other_key, other, "sha256").digest()

    assert (signing_secret(key, digest) == signing_secret(other_key, other)) == is_same


def test_secrets_are_derived_from_the_pepper_where_there_is_one() -> None:
    """Then the store alone does not give them away."""
    assert signing_key("", b"shared") == b"shared"
    assert signing_key("a pepper", b"shared") == b"a pepper"


def test_what_is_signed_is_five_lines() -> None:
    """Method, path, query, the body's SHA-256 in hexadecimal, and the time."""
    text = signed_text("POST", b"/api/v1/leads", b"dry_run=true", b"{}", b"1767225600")

    assert text.decode() == (
        "POST\n/api/v1/leads\ndry_run=true\n"
        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\n1767225600"
    )


@given(
    st.tuples(st.sampled_from(["GET", "PUT"]), LINES, LINES, st.binary(max_size=20), LINES),
    st.tuples(st.sampled_from(["GET", "PUT"]), LINES, LINES, st.binary(max_size=20), LINES),
)
def test_no_two_requests_share_a_text(
    one: tuple[str, bytes, bytes, bytes, bytes], other: tuple[str, bytes, bytes, bytes, bytes]
) -> None:
    """No part of a request can be moved into another one under the same signature."""
    assert (signed_text(*one) == signed_text(*other)) == (one == other)
    if one != other:
        assert signature_of("gws_x", signed_text(*one)) != signature_of("gws_x", signed_text(*other))


def test_a_signature_is_read_with_its_time_as_sent() -> None:
    """Blanks around a header's value are not part of it, and hexadecimal may be in capitals."""
    headers = [(b"x-signature", b" v1=" + HEX.upper() + b" "), (b"x-signature-timestamp", b"1767225600.25")]

    assert sent_signature(headers) == SentSignature(bytes.fromhex(HEX.decode()), b"1767225600.25")
    assert SentSignature(b"", b"1767225600.25").moment == 1767225600.25


def test_a_request_without_either_header_is_not_signed() -> None:
    """None, which is for others to refuse."""
    assert sent_signature([(b"host", b"crm.example")]) is None


@pytest.mark.parametrize(
    ("signature", "timestamp"),
    [
        (b"v1=" + HEX, None),
        (None, b"1767225600"),
        (HEX, b"1767225600"),
        (b"v2=" + HEX, b"1767225600"),
        (b"v1=" + HEX[1:], b"1767225600"),
        (b"v1=" + HEX + b",v1=" + HEX, b"1767225600"),
        (b"v1=" + HEX[:-1] + b"g", b"1767225600"),
        (b"v1=" + HEX, b""),
        (b"v1=" + HEX, b"-1767225600"),
        (b"v1=" + HEX, b"1767225600000"),
        (b"v1=" + HEX, b"1e9"),
        (b"v1=" + HEX, b"inf"),
        (b"v1=" + HEX, b"\xd9\xa1"),
        (b"v1=" + HEX, b"1767225600."),
    ],
)
def test_incomplete_or_malformed_headers_are_refused(signature: bytes | None, timestamp: bytes | None) -> None:
    """With a word on what to send; half a signature is none."""
    pairs = [(b"x-signature", signature), (b"x-signature-timestamp", timestamp)]
    with pytest.raises(CredentialError) as caught:
        sent_signature([(name, value) for name, value in pairs if value is not None])

    assert caught.value.code == "signature_invalid"
    assert "`X-Signature: v1=<hex>`" in caught.value.detail


@pytest.mark.parametrize("name", [b"x-signature", b"x-signature-timestamp"])
def test_a_header_sent_twice_is_refused(name: bytes) -> None:
    """Which of them a proxy looked at is not known."""
    headers = [(b"x-signature", b"v1=" + HEX), (b"x-signature-timestamp", b"1767225600")]
    with pytest.raises(RequestError) as caught:
        sent_signature([*headers, *(pair for pair in headers if pair[0] == name)])

    assert caught.value.code == "header_invalid"
