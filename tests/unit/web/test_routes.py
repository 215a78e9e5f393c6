"""What is read off a request before anything is planned."""

from __future__ import annotations

import pytest

from gateway.errors import RequestError
from gateway.web.pipeline import is_below_base
from gateway.web.routes import check_accept, origin_of


@pytest.mark.parametrize("host", [b"crm.example.com", b"127.0.0.1:8000", b"[::1]:8000", b"a_b"])
def test_absolute_links_begin_with_the_host_of_the_request(host: bytes) -> None:
    """RFC 9110, section 7.2."""
    assert origin_of("https", host) == f"https://{host.decode()}"


@pytest.mark.parametrize("host", [b"", b'evil.example>; rel="next", <http://x', b"a b", b"a/b", b"\xff", b"a:123456"])
def test_a_host_that_is_none_puts_nothing_into_links(host: bytes) -> None:
    """A Link header takes what stands between its angle brackets as it is."""
    assert origin_of("http", host) == ""


@pytest.mark.parametrize(
    "values", [[], [b""], [b"*/*"], [b"Application/JSON"], [b"text/html", b"application/*;q=0.1"], [b"a/problem+json"]]
)
def test_json_is_accepted_in_any_case_and_on_any_line(values: list[bytes]) -> None:
    """Repeated headers add up, and case does not matter."""
    check_accept({"headers": [(b"accept", value) for value in values]})


def test_a_client_that_takes_no_json_is_told_so() -> None:
    """A 406, before anything is done; ``q=0`` says no too."""
    for values in ([b"text/html", b"image/*"], [b"*/*;q=0"], [b"image/jsonfoo"], [b"application/json; q=0.000"]):
        with pytest.raises(RequestError) as caught:
            check_accept({"headers": [(b"accept", value) for value in values]})

        assert (caught.value.code, caught.value.status) == ("not_acceptable", 406)


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
