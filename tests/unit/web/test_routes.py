"""What is read off a request before anything is planned."""

from __future__ import annotations

import pytest

from gateway.query.intent import Origin
from gateway.rest.paths import IndexPath, ListPath, QueryPath, RelatedPath, ResourcePath, RowPath
from gateway.rest.url import is_below_base
from gateway.web.handlers import reads_list
from gateway.web.routes import accept_of, origin_of


@pytest.mark.parametrize("host", [b"crm.example.com", b"127.0.0.1:8000", b"[::1]:8000", b"a_b"])
def test_absolute_links_begin_with_the_host_of_the_request(host: bytes) -> None:
    """RFC 9110, section 7.2."""
    assert origin_of("https", host) == f"https://{host.decode()}"


@pytest.mark.parametrize("host", [b"", b'evil.example>; rel="next", <http://x', b"a b", b"a/b", b"\xff", b"a:123456"])
def test_a_host_that_is_none_puts_nothing_into_links(host: bytes) -> None:
    """A Link header takes what stands between its angle brackets as it is."""
    assert origin_of("http", host) == ""


@pytest.mark.parametrize(
    ("values", "due"),
    [([], ""), ([b"*/*"], "*/*"), ([b"text/html", b"application/*;q=0.1"], "text/html,application/*;q=0.1")],
)
def test_repeated_accept_headers_are_one_list(values: list[bytes], due: str) -> None:
    """RFC 9110, section 5.3."""
    assert accept_of({"headers": [(b"accept", value) for value in values]}) == due


@pytest.mark.parametrize(
    ("path", "method", "is_list"),
    [
        (ListPath("invoices"), "GET", True),
        (ListPath("invoices"), "HEAD", True),
        (ListPath("invoices"), "QUERY", True),
        (ListPath("invoices"), "POST", False),
        (ListPath("invoices"), "OPTIONS", False),
        (RelatedPath(Origin("clients", ("1",), "invoices")), "QUERY", True),
        (QueryPath("invoices"), "POST", True),
        (RowPath("invoices", ("1",)), "GET", False),
        (IndexPath(), "GET", False),
    ],
)
def test_what_reads_lists_is_known_before_its_body(path: ResourcePath, method: str, is_list: bool) -> None:
    """Its body may be larger, and its reply of another type."""
    assert reads_list(path, method) is is_list


@pytest.mark.parametrize(
    ("path", "is_below"),
    [
        (b"/api/v1", True),
        (b"/api/v1/", True),
        (b"/api/v1/invoices", True),
        (b"/api/v10", False),
        (b"/api%2Fv1/invoices", False),
        (b"/%61pi/v1/invoices", False),
        (b"//api/v1", False),
    ],
)
def test_resources_are_found_by_the_path_as_it_was_sent(path: bytes, is_below: bool) -> None:
    """An encoded base path is another path."""
    assert is_below_base(path) is is_below
