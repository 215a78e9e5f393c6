"""Paths and keys: split raw, decoded afterwards, and back again."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import NotFoundError, RequestError
from gateway.query.intent import Origin
from gateway.query.keys import decode_segment, key_text, split_key
from gateway.rest.paths import CallerPath, IndexPath, ListPath, RelatedPath, ResourcePath, RowPath, parse_path
from gateway.rest.url import list_path, row_path


@pytest.mark.parametrize(
    ("raw", "due"),
    [
        (b"/api/v1", IndexPath()),
        (b"/api/v1/", IndexPath()),
        (b"/api/v1/auth/test", CallerPath()),
        (b"/api/v1/auth", ListPath("auth")),
        (b"/api/v1/invoices", ListPath("invoices")),
        (b"/api/v1/caf%C3%A9", ListPath("café")),
        (b"/api/v1/invoices/42", RowPath("invoices", ("42",))),
        (b"/api/v1/taggables/a%2Cb%2Fc,7,9", RowPath("taggables", ("a,b/c", "7", "9"))),
        (b"/api/v1/taggables/,", RowPath("taggables", ("", ""))),
        (b"/api/v1/x/a+b", RowPath("x", ("a+b",))),
        (b"/api/v1/x/%zz", RowPath("x", ("%zz",))),
        (b"/api/v1/clients/12/invoices", RelatedPath(Origin("clients", ("12",), "invoices"))),
        (b"/api/v1//42", RowPath("", ("42",))),
    ],
)
def test_a_path_addresses_something(raw: bytes, due: ResourcePath) -> None:
    """A comma or slash inside a key value is encoded."""
    assert parse_path(raw) == due


@pytest.mark.parametrize("raw", [b"/api/v1/invoices/", b"/api/v1/invoices/1/", b"/api/v1/a/b/c/d", b"/api/v1/a/b/c/"])
def test_other_paths_address_nothing(raw: bytes) -> None:
    """A slash at the end is told apart."""
    with pytest.raises(NotFoundError) as caught:
        parse_path(raw)

    assert caught.value.code == "route_unknown"


@pytest.mark.parametrize("raw", [b"/api/v1/%ff", b"/api/v1/x/%ff", b"/api/v1/x/1/%ff", b"/api/v1/x/1,%c3"])
def test_a_path_that_is_not_utf8_is_refused(raw: bytes) -> None:
    """In each of its segments."""
    with pytest.raises(RequestError) as caught:
        parse_path(raw)

    assert caught.value.code == "path_invalid"


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=4))
def test_any_key_is_read_from_the_path_it_is_written_to(values: list[str]) -> None:
    """Commas, slashes, dots and percent signs among them."""
    path = row_path("things", values)

    assert split_key(key_text(values).encode()) == tuple(values)
    assert path.isascii()
    if values != [""]:
        assert parse_path(path.encode()) == RowPath("things", tuple(values))


def test_numbers_stand_in_a_key_with_their_digits() -> None:
    """A DECIMAL comes as the JSON text it will be."""
    assert key_text((orjson.Fragment("1.50"), orjson.Fragment(b"2"), 7)) == "1.50,2,7"
    assert row_path("things", (orjson.Fragment("1.50"),)) == "/api/v1/things/1.50"


def test_resources_are_quoted() -> None:
    """A table may be called anything."""
    assert list_path("odd name/é") == "/api/v1/odd%20name%2F%C3%A9"
    assert decode_segment(b"odd%20name%2F%C3%A9") == "odd name/é"
