"""What headers say of a body: one type, and nothing packed."""

from __future__ import annotations

import pytest

from gateway.errors import RequestError
from gateway.web.content import check_content

JSON = (b"content-type", b"application/json")


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [JSON],
        [JSON, (b"content-encoding", b"identity")],
        [JSON, (b"content-encoding", b" Identity ")],
        [JSON, (b"accept-encoding", b"gzip")],
    ],
)
def test_a_body_as_it_is_passes(headers: list[tuple[bytes, bytes]]) -> None:
    """What a client would take for an answer plays no part."""
    check_content(headers)


@pytest.mark.parametrize("coding", [b"gzip", b"br", b"identity, gzip", b"x-unknown"])
def test_a_packed_body_is_refused_with_what_is_read(coding: bytes) -> None:
    """Also where the bytes are none: a client that says so means it."""
    with pytest.raises(RequestError) as caught:
        check_content([JSON, (b"content-encoding", coding)])

    assert caught.value.code == "media_type_unsupported"
    assert caught.value.headers == {"Accept-Encoding": "identity"}


@pytest.mark.parametrize("second", [b"application/x-www-form-urlencoded", b"application/json"])
def test_a_second_type_is_refused(second: bytes) -> None:
    """Which of the two counts would be a matter of who reads them."""
    with pytest.raises(RequestError) as caught:
        check_content([JSON, (b"content-type", second)])

    assert caught.value.code == "header_invalid"
