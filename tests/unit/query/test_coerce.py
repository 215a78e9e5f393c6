"""Clients' values -> column values: every kind in and out, exactly, or refused with a code."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.kinds import KINDS, ColumnType, DecodeContext, decoder_of, parse_sql_type
from gateway.query.coerce import (
    Clock,
    RefusedValueError,
    coerce_boolean,
    coerce_operand,
    same_value,
    stored_moment,
)
from gateway.query.written import coerce_written
from tests.support.catalogs import perfex_catalog
from tests.support.kinds import column

CLOCK = Clock(datetime(2026, 11, 15, 9, 30, tzinfo=UTC), ZoneInfo("Europe/Berlin"))
LONG = "9" * 400


def operand(name: str, raw: object) -> object:
    return coerce_operand(column(name).type, raw, CLOCK)


def written(name: str, raw: object) -> object:
    return coerce_written(column(name).type, raw, CLOCK)


def type_of(kind: str, sql: str = "text", **limits: Any) -> ColumnType:
    return ColumnType(KINDS[kind], sql, **limits)


def refusal(call: Any, *arguments: object) -> str:
    with pytest.raises(RefusedValueError) as caught:
        call(*arguments)
    assert caught.value.message
    return caught.value.code


# Operands


@pytest.mark.parametrize(
    ("name", "raw", "due"),
    [
        ("id", "42", 42),
        ("id", "-1", -1),
        ("id", "+7", 7),
        ("id", " 7", 7),
        ("id", 42, 42),
        ("id", Decimal("42.0"), 42),
        ("id", Decimal("4.2E+1"), 42),
        ("id", "007", 7),
        ("big", str(2**64 - 1), 2**64 - 1),
        ("flag", "true", 1),
        ("flag", False, 0),
        ("flag", "0", 0),
        ("flag", 2, 2),
        ("year", "2026", 2026),
        ("bits", "3", 3),
        ("money", "1000", Decimal("1000")),
        ("money", " 5.50", Decimal("5.50")),
        ("money", ".5", Decimal("0.5")),
        ("money", "5.", Decimal("5")),
        ("money", "1e3", Decimal("1000")),
        ("money", 12, Decimal("12")),
        ("money", Decimal("0.125"), Decimal("0.125")),
        ("rate", "0.1", 0.1),
        ("rate", "1e300", 1e300),
        ("rate", Decimal("1E-300"), 1e-300),
        ("name", "Zoë 😀", "Zoë 😀"),
        ("name", 7, "7"),
        ("name", "a\0b", "a\0b"),
        ("level", "HIGH", "HIGH"),
        ("day", "2026-03-31", date(2026, 3, 31)),
        ("day", "@today-1d", date(2026, 11, 14)),
        ("day", "@now", date(2026, 11, 15)),
        ("wall", "2026-03-31", date(2026, 3, 31)),
        ("wall", "2026-07-01T10:00:00Z", datetime(2026, 7, 1, 12)),
        ("stamp", "2026-07-01T10:00:00", datetime(2026, 7, 1, 8)),
        ("span", "-25:00", -timedelta(hours=25)),
        ("bytes", "AP8=", b"\x00\xff"),
        ("words", "a", "a"),
        ("document", "{", "{"),
    ],
)
def test_an_operand_becomes_the_columns_own_type(name: str, raw: object, due: object) -> None:
    """The database never converts."""
    found = operand(name, raw)

    assert (type(found), found) == (type(due), due)


@pytest.mark.parametrize(
    ("name", "raw", "code"),
    [
        ("id", "1abc", "type"),
        ("id", "", "type"),
        ("id", "1.0", "type"),
        ("id", "1e3", "type"),
        ("id", "0x10", "type"),
        ("id", "1_000", "type"),
        ("id", "\u0661", "type"),
        ("id", "1\0", "type"),
        ("id", "1\n", "type"),
        ("id", " ", "type"),
        ("id", True, "type"),
        ("id", None, "type"),
        ("id", [1], "type"),
        ("id", 1.5, "type"),
        ("id", Decimal("1.5"), "type"),
        ("id", Decimal("1E+1000000"), "type"),
        ("id", Decimal("1E-1000000"), "type"),
        ("id", LONG, "type"),
        ("id", 2**64, "out_of_range"),
        ("id", str(-(2**63) - 1), "out_of_range"),
        ("id", 10**200, "out_of_range"),
        ("flag", "yes", "type"),
        ("money", "1,5", "type"),
        ("money", "NaN", "type"),
        ("money", "Infinity", "type"),
        ("money", "1e1000", "type"),
        ("money", "1e999", "out_of_range"),
        ("money", Decimal("1E+999999"), "type"),
        ("money", "1e-200", "out_of_range"),
        ("money", "\u0665", "type"),
        ("money", ".", "type"),
        ("money", True, "type"),
        ("money", None, "type"),
        ("money", LONG, "type"),
        ("rate", "1e999", "out_of_range"),
        ("rate", "-1e999", "out_of_range"),
        ("rate", "nan", "type"),
        ("name", None, "type"),
        ("name", True, "type"),
        ("name", {"a": 1}, "type"),
        ("name", "\ud800", "type"),
        ("day", "2026-03-31T10:00:00", "type"),
        ("day", "31.03.2026", "type"),
        ("day", "@today+9999y", "type"),
        ("day", "\ud800", "type"),
        ("wall", "2026-03-29T02:30:00", "nonexistent_time"),
        ("wall", "0001-01-01T00:00:00", "type"),
        ("wall", 20260331, "type"),
        ("span", "10", "type"),
        ("bytes", "AP8", "type"),
        ("bytes", "é", "type"),
    ],
)
def test_what_cannot_be_read_is_refused(name: str, raw: object, code: str) -> None:
    """Nothing is guessed and nothing overflows."""
    assert refusal(operand, name, raw) == code


@given(st.integers(-(2**63), 2**64 - 1))
def test_integers_are_exact(number: int) -> None:
    """As text, as a JSON number, and as a JSON number with a point."""
    assert operand("big", str(number)) == operand("big", number) == operand("big", Decimal(f"{number}.0")) == number


@given(st.decimals(allow_nan=False, allow_infinity=False, places=30, min_value=-(10**34), max_value=10**34))
def test_decimals_are_exact(number: Decimal) -> None:
    """More digits than a double holds, and none is lost."""
    text = format(number, "f")

    for raw in (text, Decimal(text)):
        for found in (operand("wide", raw), written("wide", raw)):
            assert isinstance(found, Decimal)
            assert format(found, "f") == text


@given(st.text())
def test_any_text_is_text_or_refused(text: str) -> None:
    """What can be UTF-8 stays as it is, and a lone surrogate never reaches the driver."""
    try:
        text.encode()
    except UnicodeEncodeError:
        assert refusal(operand, "name", text) == "type"
    else:
        assert operand("name", text) == text


_HOSTILE = st.one_of(
    st.text(),
    st.text("0123456789+-.eE:TZ@ day", max_size=60),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
    st.lists(st.text(), max_size=3),
    st.dictionaries(st.text(), st.integers(), max_size=3),
)


@given(st.sampled_from(sorted(KINDS)), _HOSTILE)
def test_every_kind_takes_a_value_or_refuses_it(kind: str, raw: object) -> None:
    """No other exception leaves: it would be an internal error that a client can cause."""
    column_type = type_of(kind, members=("a", "b"), length=5, precision=15, scale=2)
    for coerce in (coerce_operand, coerce_written):
        if raw is None and coerce is coerce_written:
            continue
        with suppress(RefusedValueError):
            coerce(column_type, raw, CLOCK)


@pytest.mark.parametrize(
    ("raw", "due"), [(True, True), ("true", True), ("FALSE", False), (1, True), ("0", False), ("1", True)]
)
def test_booleans_have_four_spellings(raw: object, due: bool) -> None:
    """1, 0, true and false."""
    assert coerce_boolean(raw) is due


@pytest.mark.parametrize("raw", ["", "yes", 2, None, "2"])
def test_other_booleans_are_refused(raw: object) -> None:
    """An operand of ``null`` that is neither."""
    assert refusal(coerce_boolean, raw) == "type"


def test_moments_are_stored_as_their_column_keeps_them() -> None:
    """DATETIME is the CRM's wall clock, TIMESTAMP is UTC."""
    instant = datetime(2026, 7, 1, 10, tzinfo=UTC)

    assert stored_moment(column("wall").type, instant, CLOCK.zone) == datetime(2026, 7, 1, 12)
    assert stored_moment(column("stamp").type, instant, CLOCK.zone) == datetime(2026, 7, 1, 10)


def test_the_clock_shows_the_crms_wall() -> None:
    """To the second, without a zone."""
    clock = Clock(datetime(2026, 6, 30, 22, 30, 1, 999, tzinfo=UTC), CLOCK.zone)

    assert (clock.wall, clock.today) == (datetime(2026, 7, 1, 0, 30, 1), date(2026, 7, 1))


# Values of bodies


@pytest.mark.parametrize(
    ("name", "raw", "due"),
    [
        ("small", "-128", -128),
        ("flag", True, 1),
        ("flag", "false", 0),
        ("flag", 1, 1),
        ("year", 2155, 2155),
        ("year", 0, 0),
        ("bits", 1023, 1023),
        ("money", "1200.50", Decimal("1200.50")),
        ("money", Decimal("0.100000"), Decimal("0.100000")),
        ("money", "9999999999999.99", Decimal("9999999999999.99")),
        ("money", "-0", Decimal("-0")),
        ("money", "1.2e3", Decimal("1200")),
        ("wide", "12345678901234567890123456789012345.123456789012345678901234567891", None),
        ("positive", 0, Decimal("0")),
        ("rate", Decimal("0.1"), 0.1),
        ("name", "ÄÖÜ😀567890", "ÄÖÜ😀567890"),
        ("name", 12, "12"),
        ("name", "", ""),
        ("level", "LOW", "low"),
        ("level", "High", "High"),
        ("level", "high", "high"),
        ("day", "2026-03-31", date(2026, 3, 31)),
        ("day", "@today", date(2026, 11, 15)),
        ("wall", "2026-03-31", datetime(2026, 3, 31)),
        ("wall", "2026-07-01T10:00:00.999Z", datetime(2026, 7, 1, 12)),
        ("fine", "2026-07-01T10:00:00.1239", datetime(2026, 7, 1, 10, 0, 0, 123_000)),
        ("stamp", "2026-07-01", datetime(2026, 6, 30, 22)),
        ("span", "100:00", timedelta(hours=100)),
        ("bytes", "AAECAw==", b"\0\1\2\3"),
        ("words", ["c", "A", "c"], "a,c"),
        ("words", "b,a", "a,b"),
        ("words", "", ""),
        ("words", [], ""),
    ],
)
def test_a_value_is_written_as_its_column_keeps_it(name: str, raw: object, due: object) -> None:
    """Numbers or text alike; words in definition order; parts of a second that the column keeps."""
    if due is None:
        due = Decimal(str(raw))
    assert written(name, raw) == due


@pytest.mark.parametrize(
    ("name", "raw", "code"),
    [
        ("small", 128, "out_of_range"),
        ("small", "-129", "out_of_range"),
        ("id", 2**31, "out_of_range"),
        ("big", -1, "out_of_range"),
        ("flag", "maybe", "type"),
        ("year", 1900, "out_of_range"),
        ("year", 2156, "out_of_range"),
        ("bits", 1024, "out_of_range"),
        ("money", "1.005", "scale"),
        ("money", "1e-3", "scale"),
        ("money", "10000000000000", "out_of_range"),
        ("money", Decimal("1E+50"), "out_of_range"),
        ("money", "12345678901234567890123456789.123", "scale"),
        ("wide", "1e35", "out_of_range"),
        ("positive", "-0.01", "out_of_range"),
        ("name", "12345678901", "too_long"),
        ("body", "é" * 32768, "too_long"),
        ("level", "HIGH", "member"),
        ("level", "none", "member"),
        ("choice", True, "type"),
        ("day", "2026-02-29", "type"),
        ("wall", "2026-03-29T02:30", "nonexistent_time"),
        ("wall", "0001-01-01", "out_of_range"),
        ("bytes", "AAECAwQ=", "too_long"),
        ("words", ["a", "d"], "member"),
        ("words", [1, None], "type"),
        ("words", {"a": 1}, "type"),
        ("document", {"a": "\ud800"}, "type"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(name: str, raw: object, code: str) -> None:
    """Nothing is cut, rounded or clamped."""
    assert refusal(written, name, raw) == code


def test_a_day_whose_midnight_the_clocks_skip_is_refused() -> None:
    """A day written into a DATETIME means its midnight."""
    clock = Clock(CLOCK.now, ZoneInfo("Asia/Beirut"))

    assert refusal(coerce_written, column("wall").type, "2026-03-29", clock) == "nonexistent_time"


@pytest.mark.parametrize(
    ("raw", "due"),
    [
        ({"a": [1, Decimal("1.50"), None, True], "é": '"\\\n'}, '{"a":[1,1.50,null,true],"é":"\\"\\\\\\n"}'),
        ([2**70, -(2**70)], f"[{2**70},{-(2**70)}]"),
        (Decimal("1E+1000000"), "1E+1000000"),
        ("text", '"text"'),
        (False, "false"),
        ({}, "{}"),
    ],
)
def test_a_document_keeps_its_digits(raw: object, due: str) -> None:
    """Beyond 64 bits and beyond doubles, too."""
    assert written("document", raw) == due


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(_JSON)
def test_a_document_means_what_was_sent(raw: object) -> None:
    """Any JSON value, nested as it likes."""
    try:
        text = written("document", raw)
    except RefusedValueError:
        assert "\\ud" in json.dumps(raw)
        return
    assert isinstance(text, str)
    assert json.loads(text) == raw


def test_a_php_list_is_written_by_our_own_encoder() -> None:
    """Lengths count bytes, and text that looks serialised is only text."""
    found = coerce_written(type_of("php_list"), ["1", "é", 'x";s:1:"y'], CLOCK)

    assert found == 'a:3:{i:0;s:1:"1";i:1;s:2:"é";i:2;s:9:"x";s:1:"y";}'


@given(st.lists(st.text(st.characters(codec="utf-8"))))
def test_a_php_list_is_read_back(words: list[str]) -> None:
    """Whatever the words hold."""
    column_type = type_of("php_list")
    decode = decoder_of(column_type, DecodeContext("mariadb", UTC))

    assert decode is not None
    assert list(decode(coerce_written(column_type, words, CLOCK))) == words


@pytest.mark.parametrize("raw", ["a:0:{}", 'O:8:"stdClass":0:{}', {"0": "a"}, [["a"]]])
def test_serialised_text_is_no_list(raw: object) -> None:
    """It would be an object injection into PHP."""
    assert refusal(coerce_written, type_of("php_list"), raw, CLOCK) == "type"


def test_html_is_sanitised() -> None:
    """The CRM prints it raw."""
    text = "<p onclick=x>Hi <script>alert(1)</script><b>you</b></p>"

    assert coerce_written(type_of("html"), text, CLOCK) == "<p>Hi <b>you</b></p>"


@pytest.mark.parametrize("end", ["", "\n", " alt=", " alt='", ' alt="', "\nrest"])
def test_a_tag_that_is_begun_in_lines_is_none(end: str) -> None:
    """A break of ours, or what the CRM prints behind the text, would end it; nothing of the text is lost."""
    text = f"a < b <img src=x onerror=alert(1){end}"

    stored = coerce_written(type_of("multiline"), text, CLOCK)

    assert stored == text.replace("<", "&lt;").replace("\n", "<br />\n")
    assert coerce_written(type_of("multiline"), "1 < 2 > 0 <3", CLOCK) == "1 < 2 > 0 <3"


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\rb"])
def test_lines_are_broken_as_the_crm_breaks_them(text: str) -> None:
    """And read back without the breaks."""
    column_type = type_of("multiline")
    stored = coerce_written(column_type, text, CLOCK)
    decode = decoder_of(column_type, DecodeContext("mariadb", UTC))

    assert stored == "a<br />\nb"
    assert decode is not None
    assert decode(stored) == "a\nb"


# Sent back


@pytest.mark.parametrize(
    ("name", "shown", "raw", "due"),
    [
        ("id", 7, 7, True),
        ("id", 7, "7", True),
        ("id", 7, 8, False),
        ("money", orjson.Fragment("10.50"), Decimal("10.5"), True),
        ("money", orjson.Fragment("10.50"), "10.51", False),
        ("wall", datetime(2026, 7, 1, 12, tzinfo=CLOCK.zone), "2026-07-01T10:00:00Z", True),
        ("wall", datetime(2026, 7, 1, 12, tzinfo=CLOCK.zone), "2026-07-01", False),
        ("name", None, None, True),
        ("name", None, "", False),
        ("name", "", None, False),
        ("words", ["a", "b"], ["a", "b"], True),
        ("words", ["a", "b"], ["b", "a"], False),
        ("document", orjson.Fragment('{"a": 1.50}'), {"a": Decimal("1.5")}, True),
        ("id", 7, "x", False),
    ],
)
def test_a_value_sent_back_equals_what_the_reply_showed(name: str, shown: object, raw: object, due: bool) -> None:
    """So that a row that was read can be sent again."""
    assert same_value(column(name).type, shown, raw, CLOCK) is due


def test_every_kind_has_its_readers_and_writers() -> None:
    """A kind added to the type table is one that can be filtered by and written."""
    for kind in KINDS:
        for coerce in (coerce_operand, coerce_written):
            assert refusal(coerce, type_of(kind), ["\ud800"], CLOCK) == "type"


def test_the_crms_own_types_are_all_covered() -> None:
    """No column of the CRM has a kind without a reader."""
    for table in perfex_catalog().tables.values():
        for item in table.columns:
            with suppress(RefusedValueError):
                coerce_operand(item.type, "1", CLOCK)


def test_a_type_without_precision_takes_all_digits() -> None:
    """As the aggregates to come will have it."""
    assert coerce_written(parse_sql_type("decimal(65,0)"), "9" * 65, CLOCK) == Decimal("9" * 65)


@pytest.mark.parametrize(
    ("sql", "good", "bad"),
    [
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "abc"),
        ("inet4", "10.0.0.1", "::1"),
        ("inet6", "::1", "10.0.0"),
    ],
)
def test_texts_that_the_server_holds_in_a_form_of_their_own_must_have_it(sql: str, good: str, bad: str) -> None:
    """It compares them as no text: another one would silently equal nothing."""
    column_type = parse_sql_type(sql)
    assert coerce_operand(column_type, good, CLOCK) == coerce_written(column_type, good, CLOCK) == good

    for coerce in (coerce_operand, coerce_written):
        with pytest.raises(RefusedValueError) as caught:
            coerce(column_type, bad, CLOCK)
        assert caught.value.code == "type"
