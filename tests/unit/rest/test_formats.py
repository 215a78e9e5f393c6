"""Which representation a client gets: suffix, ``format=`` and ``Accept`` (RFC 9110, section 12.5.1)."""

from __future__ import annotations

import pytest

from gateway.errors import RequestError
from gateway.rest.formats import FORMATS, ROW_FORMATS, list_formats, negotiate, split_suffix

ALL = frozenset(FORMATS)
PLAIN = frozenset({"json", "csv", "ndjson", "xlsx"})


def refused(
    accept: str = "", asked: str | None = None, suffix: str | None = None, offered: frozenset[str] = ALL
) -> RequestError:
    with pytest.raises(RequestError) as caught:
        negotiate(accept, asked, suffix, offered)
    return caught.value


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        ("", "json"),
        (" , ", "json"),
        ("*/*", "json"),
        ("application/json", "json"),
        ("Application/JSON", "json"),
        ("application/json; charset=UTF-8", "json"),
        ("application/vnd.api+json", "json"),
        ("application/*", "json"),
        ("text/*", "csv"),
        ("text/csv", "csv"),
        ("TEXT/CSV; header=present", "csv"),
        ("application/x-ndjson", "ndjson"),
        ("application/jsonl", "ndjson"),
        ("application/ndjson", "ndjson"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
        ("application/vnd.apache.parquet", "parquet"),
        ("application/vnd.apache.arrow.stream", "arrow"),
    ],
)
def test_one_media_type_names_one_format(accept: str, name: str) -> None:
    """In any case; what covers several formats means the first of them, JSON wherever it is among them."""
    assert negotiate(accept, None, None, ALL).name == name


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        ("application/json;q=0.5, text/csv", "csv"),
        ("text/csv;q=0.4, application/json;q=0.5", "json"),
        ("text/csv;q=0.001, application/json;q=0", "csv"),
        ("*/*;q=0.1, text/csv;q=0.2", "csv"),
        ("*/*, application/json;q=0.5", "csv"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "json"),
        ("application/json, text/plain, */*", "json"),
        ("text/csv, */*", "csv"),
        ("text/csv, application/json", "csv"),
        ("application/json, text/csv", "json"),
        ("text/html, image/gif, *; q=.2, */*; q=.2", "json"),
        ("text/csv; header=absent, application/x-ndjson;q=0.1", "ndjson"),
        ("text/csv; charset=iso-8859-1, */*;q=0.1", "json"),
        (" , ,text/csv,", "csv"),
    ],
)
def test_of_several_the_client_s_weights_decide(accept: str, name: str) -> None:
    """Then how precisely a format is named, then which comes first: a named type beats a wildcard."""
    assert negotiate(accept, None, None, ALL).name == name


@pytest.mark.parametrize("accept", ["text/html", "*/*;q=0", "application/json; q=0.000", "image/jsonfoo", "text/*;q=0"])
def test_what_cannot_be_produced_is_not_acceptable(accept: str) -> None:
    """The answer names everything that could be had."""
    error = refused(accept)

    assert (error.code, error.status) == ("not_acceptable", 406)
    assert all(f"{item.name} ({item.media_type})" in error.detail for item in FORMATS.values())


def test_a_refused_type_stays_refused_under_a_wildcard() -> None:
    """The more precise range counts: everything but JSON is what this says."""
    assert negotiate("application/json;q=0, */*", None, None, ALL).name == "csv"


@pytest.mark.parametrize("weight", ["2", "-1", "x", "1e0", ".", ""])
def test_a_weight_that_is_none_is_refused(weight: str) -> None:
    """A weight is a number from 0 to 1; guessing what was meant would drop it silently."""
    error = refused(f"text/csv;q={weight}")

    assert (error.code, error.status) == ("header_invalid", 400)


@pytest.mark.parametrize("accept", ["", "application/json", "text/html"])
def test_what_the_address_says_comes_before_accept(accept: str) -> None:
    """A suffix or ``format=`` is meant; an ``Accept`` is often the client library's own."""
    assert negotiate(accept, "csv", None, ALL).name == "csv"
    assert negotiate(accept, None, "csv", ALL).name == "csv"
    assert negotiate(accept, "csv", "csv", ALL).name == "csv"


def test_a_suffix_and_a_format_that_differ_are_a_conflict() -> None:
    """Neither is dropped for the other."""
    error = refused(asked="json", suffix="csv")

    assert (error.code, error.status, error.issues[0].parameter) == ("parameter_conflict", 400, "format")


def test_an_unknown_format_is_answered_with_those_there_are() -> None:
    """And with the nearest one."""
    error = refused(asked="ndjsn")

    assert (error.code, error.status, error.issues[0].parameter) == ("parameter_invalid", 400, "format")
    assert error.issues[0].suggestion == "ndjson"
    assert ", ".join(FORMATS) in error.detail
    assert refused(asked="").code == "parameter_invalid"


@pytest.mark.parametrize("name", sorted(ALL - ROW_FORMATS))
def test_a_single_row_is_json(name: str) -> None:
    """However another format is asked for."""
    errors = [
        refused(asked=name, offered=ROW_FORMATS),
        refused(suffix=name, offered=ROW_FORMATS),
        refused(FORMATS[name].media_type, offered=ROW_FORMATS),
    ]

    assert {(error.code, error.status) for error in errors} == {("not_acceptable", 406)}
    assert all("What can be had: json (application/json)." in error.detail for error in errors)


@pytest.mark.parametrize("name", ["parquet", "arrow"])
def test_a_format_whose_library_is_missing_says_how_to_install_it(name: str) -> None:
    """It is an extra of the package."""
    error = refused(asked=name, offered=PLAIN)

    assert (error.code, error.status) == ("not_acceptable", 406)
    assert "pip install 'perfex-gateway[arrow]'" in error.detail
    assert refused(FORMATS[name].media_type, offered=PLAIN).code == "not_acceptable"
    assert negotiate(f"{FORMATS[name].media_type}, text/csv;q=0.1", None, None, PLAIN).name == "csv"


def test_lists_offer_what_is_installed() -> None:
    """The extra is among what the tests install."""
    assert list_formats() == ALL


@pytest.mark.parametrize(
    ("segment", "split"),
    [
        ("invoices", ("invoices", None)),
        ("invoices.csv", ("invoices", "csv")),
        ("a.b.parquet", ("a.b", "parquet")),
        ("invoices.CSV", ("invoices.CSV", None)),
        ("invoices.pdf", ("invoices.pdf", None)),
        (".csv", (".csv", None)),
        ("csv", ("csv", None)),
    ],
)
def test_a_suffix_is_one_only_where_it_names_a_format(segment: str, split: tuple[str, str | None]) -> None:
    """Everything else belongs to the name, which is then unknown or not."""
    assert split_suffix(segment) == split


def test_media_types_are_those_that_other_tools_know() -> None:
    """RFC 8259, RFC 4180 with its parameters, Apache's registrations at IANA, and the customary one of NDJSON."""
    assert {item.name: item.content_type for item in FORMATS.values()} == {
        "json": "application/json",
        "csv": "text/csv; charset=utf-8; header=present",
        "ndjson": "application/x-ndjson",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "parquet": "application/vnd.apache.parquet",
        "arrow": "application/vnd.apache.arrow.stream",
    }
