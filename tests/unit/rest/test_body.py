"""Bodies of writes: JSON or form, with the digits of numbers, and nothing dropped."""

from __future__ import annotations

import json
from decimal import Decimal
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import RequestError, ValidationError
from gateway.query.json_text import JsonTextError, read_json
from gateway.rest.body import Body, Rows, parse_body, parse_rows

FORM = "application/x-www-form-urlencoded"


def parsed(data: bytes | str, content_type: str | None = "application/json") -> Body:
    return parse_body(content_type, data if isinstance(data, bytes) else data.encode(), max_depth=5)


def refused(data: bytes | str, content_type: str | None = "application/json") -> str:
    with pytest.raises(RequestError) as caught:
        parsed(data, content_type)
    return caught.value.code


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("{}", {}),
        ('{"a": 1.50}', {"a": Decimal("1.50")}),
        ('{"a": 1E+2}', {"a": Decimal("1E+2")}),
        ('{"a": -0.0}', {"a": Decimal("-0.0")}),
        ('{"a": 12345678901234567890123}', {"a": 12345678901234567890123}),
        ('{"a": 0.1234567890123456789012345}', {"a": Decimal("0.1234567890123456789012345")}),
        ('{"a": 1e1000000}', {"a": Decimal("1E+1000000")}),
        ('{"a": [true, false, null], "b": {"c": "\\u00e9"}}', {"a": [True, False, None], "b": {"c": "é"}}),
        ('\ufeff {"a": "x"} \n', {"a": "x"}),
        ('{"a": "\\ud800"}', {"a": "\ud800"}),
    ],
)
def test_json_keeps_its_digits(text: str, due: dict[str, object]) -> None:
    """No number passes through a float; a byte order mark is not part of the text."""
    body = parsed(text)

    assert (body.values, body.is_form) == (due, False)
    assert str(body.values) == str(due)


@pytest.mark.parametrize(
    "media_type", ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"]
)
def test_json_has_its_media_types(media_type: str) -> None:
    """Parameters and capitals do not matter."""
    assert parsed('{"a": 1}', media_type).values == {"a": 1}


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json; charset=utf-16",
        'application/json;charset="iso-8859-1"',
        "application/json; charset=utf-8; charset=latin1",
        "application/x-www-form-urlencoded; CHARSET = windows-1252",
        "application/json; charset=",
    ],
)
def test_text_in_another_encoding_is_refused_and_not_misread(media_type: str) -> None:
    """All that is read is UTF-8, whatever a client says that it sent."""
    assert refused("{}", media_type) == "media_type_unsupported"
    with pytest.raises(RequestError):
        parse_rows(media_type, b"[{}]", 8)


@pytest.mark.parametrize("media_type", ["application/json; Charset=UTF8", "application/json; x=y; charset='utf-8'"])
def test_utf8_may_be_said(media_type: str) -> None:
    """As many clients do, in more than one way."""
    assert parsed('{"a": 1}', media_type).values == {"a": 1}


@pytest.mark.parametrize("media_type", [None, "", "text/plain", "multipart/form-data; boundary=x", "application/xml"])
def test_other_media_types_are_refused(media_type: str | None) -> None:
    """With what is accepted in a header."""
    with pytest.raises(RequestError) as caught:
        parsed("{}", media_type)

    assert caught.value.code == "media_type_unsupported"
    assert caught.value.headers["Accept-Post"] == "application/json, application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "data",
    [
        "",
        "{",
        "[]",
        "1",
        "null",
        '"text"',
        "{'a': 1}",
        '{"a": 1,}',
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": -Infinity}',
        '{"a": 01}',
        '{"a": "\n"}',
        '{"a": 1} {}',
        b'{"a": "\xff"}',
        '{"a": "b"}'.encode("utf-16"),
        '{"a": ' + "9" * 401 + "}",
        '{"a": 0.' + "9" * 401 + "}",
        '{"a": 1e99999999999999999999}',
        '{"a": 1e-99999999999999999999}',
    ],
)
def test_what_is_no_json_object_is_refused(data: bytes | str) -> None:
    """Nor are numbers that no column could hold, or that cost to read."""
    assert refused(data) == "body_syntax"


def test_the_place_of_a_mistake_is_told() -> None:
    """By line and column."""
    with pytest.raises(RequestError, match="line 2, column 3"):
        parsed("{\n  a: 1}")


def test_depth_is_bounded_before_anything_is_built() -> None:
    """Brackets inside text are text."""
    assert parsed('{"a": [[[[1]]]]}').values == {"a": [[[[1]]]]}
    assert parsed('{"a": "[[[[[[[[{\\"["}').values == {"a": '[[[[[[[[{"['}
    assert refused('{"a": [[[[[1]]]]]}') == "body_syntax"
    assert refused('{"a":' * 100_000) == "body_syntax"


@given(st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_depth_is_counted_as_it_is(value: object) -> None:
    """Without building the value."""

    def depth(item: object) -> int:
        if isinstance(item, dict):
            item = list(item.values())
        return 1 + max(map(depth, item), default=0) if isinstance(item, list) else 0

    text, deep = json.dumps(value), depth(value)

    assert read_json(text, deep) == value
    if deep:
        with pytest.raises(JsonTextError, match=f"nests deeper than {deep - 1} levels"):
            read_json(text, deep - 1)


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        ('{"a": 1, "b": 2, "a": 1}', "application/json"),
        ("a=1&b=2&a=1", FORM),
        ('{"b": {"a": 1, "a": 2}}', "application/json"),
    ],
)
def test_a_field_given_twice_is_at_fault(data: str, media_type: str) -> None:
    """Even with the same value: which one is meant is not ours to say."""
    with pytest.raises(ValidationError) as caught:
        parsed(data, media_type)

    assert (caught.value.issues[0].pointer, caught.value.issues[0].code) == ("/a", "duplicate")


def test_a_form_is_text() -> None:
    """Decoded, in order; empty values are there."""
    body = parsed("name=Zo%C3%AB+O%27Neill&company=&flag", FORM)

    assert (dict(body.values), body.is_form) == ({"name": "Zoë O'Neill", "company": "", "flag": ""}, True)
    assert parsed("", FORM).values == {}


@pytest.mark.parametrize("data", [b"a=%ff", b"%ff=1", b"a=\xff"])
def test_a_form_that_is_not_utf8_is_refused(data: bytes) -> None:
    """As a body, not as a parameter."""
    assert refused(data, FORM) == "body_syntax"


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8"))))
def test_any_fields_can_be_sent_either_way(values: dict[str, str]) -> None:
    """The same fields come out."""
    form = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in values.items())

    assert parsed(form, FORM).values == values == parsed(json.dumps(values)).values


@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """No other exception leaves."""
    for media_type in ("application/json", FORM):
        try:
            parsed(data, media_type)
        except (RequestError, ValidationError) as error:
            assert error.status in (400, 422)  # noqa: PT017  # either way is right


# Arrays


def rows(data: str, content_type: str = "application/json") -> Body | Rows:
    return parse_rows(content_type, data.encode(), max_depth=5)


def test_a_create_takes_one_row_or_an_array() -> None:
    """Numbers keep their digits in both; a form is one row."""
    assert rows('{"a": 1.50}') == Body({"a": Decimal("1.50")})
    assert rows('[{"a": 1.50}, {}]') == Rows(({"a": Decimal("1.50")}, {}))
    assert rows("a=1", FORM) == Body({"a": "1"}, is_form=True)


def test_an_array_is_no_body_of_one_row() -> None:
    """Where one row is changed."""
    assert refused('[{"a": 1}]') == "body_syntax"


@pytest.mark.parametrize(
    ("text", "pointers"),
    [
        ("[]", [""]),
        (json.dumps([{}] * 1_001), [""]),
        ('[{}, 1, null, [], "x"]', ["/1", "/2", "/3", "/4"]),
        ('[{"a": 1, "a": 2}]', ["/a"]),
    ],
)
def test_what_is_no_array_of_rows_is_refused_where_it_stands(text: str, pointers: list[str]) -> None:
    """A row at a time."""
    with pytest.raises(ValidationError) as caught:
        rows(text)
    assert [issue.pointer for issue in caught.value.issues] == pointers
