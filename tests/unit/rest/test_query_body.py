"""Bodies of queries: one JSON object of parameters, each with a value that a URL could have."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import RequestError
from gateway.rest.given import Given
from gateway.rest.query_body import LONGEST_NAME, MOST_PARAMETERS, MOST_VALUES, parse_query_body


def parsed(data: bytes | str, content_type: str | None = "application/json") -> Given:
    return parse_query_body(content_type, data if isinstance(data, bytes) else data.encode(), "Accept-Query")


def test_a_body_is_an_object_of_parameters() -> None:
    """Numbers keep their digits, arrays their items, and the tree of where is as it is."""
    body = (
        '{"filter[total.gte]": 10.50, "sort": ["-total", "id"], "labels": true, "q": "x", "where": {"or": [{"a": 1}]}}'
    )

    assert parsed(body) == {
        "filter[total.gte]": Decimal("10.50"),
        "sort": ["-total", "id"],
        "labels": True,
        "q": "x",
        "where": {"or": [{"a": 1}]},
    }
    assert parsed("{}") == {}
    assert parsed("{}", "Application/JSON; charset=utf-8") == {}


@pytest.mark.parametrize("media_type", [None, "", "text/plain", "application/x-www-form-urlencoded", "text/json"])
def test_other_media_types_are_refused(media_type: str | None) -> None:
    """With what is accepted in the header of the method."""
    for header in ("Accept-Query", "Accept-Post"):
        with pytest.raises(RequestError) as caught:
            parse_query_body(media_type, b"{}", header)

        assert (caught.value.code, caught.value.status) == ("media_type_unsupported", 415)
        assert caught.value.headers == {header: "application/json"}


@pytest.mark.parametrize("data", ["", "{", "[]", "1", "null", '"q=x"', '{"q": NaN}', b'{"q": "\xff"}'])
def test_what_is_no_json_object_is_refused(data: bytes | str) -> None:
    """As in writes."""
    with pytest.raises(RequestError) as caught:
        parsed(data)

    assert caught.value.code == "body_syntax"


@pytest.mark.parametrize(
    ("data", "code", "parameter"),
    [
        ('{"q": null}', "parameter_invalid", "q"),
        ('{"q": {}}', "parameter_invalid", "q"),
        ('{"filter[a]": {"gte": 1}}', "parameter_invalid", "filter[a]"),
        ('{"filter[a.in]": [1, null]}', "parameter_invalid", "filter[a.in]"),
        ('{"filter[a.in]": [[1]]}', "parameter_invalid", "filter[a.in]"),
        ('{"where": "{}"}', "parameter_invalid", "where"),
        ('{"where": [{}]}', "parameter_invalid", "where"),
        ('{"where": null}', "parameter_invalid", "where"),
        ('{"q": "a", "q": "a"}', "parameter_conflict", "q"),
        ('{"where": {"a": 1, "a": 2}}', "parameter_conflict", "a"),
    ],
)
def test_values_that_no_parameter_has_are_refused_by_name(data: str, code: str, parameter: str) -> None:
    """Never dropped."""
    with pytest.raises(RequestError) as caught:
        parsed(data)

    assert (caught.value.code, caught.value.issues[0].parameter) == (code, parameter)


def test_depth_is_bounded_before_anything_is_built() -> None:
    """The tree of where may be as deep as in a URL."""
    with pytest.raises(RequestError, match="nests deeper than 65 levels"):
        parsed('{"where":' + '{"not":' * 100_000)


def test_parameters_are_bounded() -> None:
    """The first one too many is named, whatever it is."""
    names = [f"filter[any.{number}][id]" for number in range(MOST_PARAMETERS + 1)]

    assert len(parsed(json.dumps(dict.fromkeys(names[:-1], 1)))) == MOST_PARAMETERS
    with pytest.raises(RequestError) as caught:
        parsed(json.dumps(dict.fromkeys(names, 1)))
    assert (caught.value.code, caught.value.issues[0].parameter) == ("query_too_large", names[-1])


def test_names_are_no_longer_than_in_a_url() -> None:
    """What is refused names its beginning."""
    name = "filter" + "[a]" * (LONGEST_NAME // 3)

    assert parsed(json.dumps({name[:LONGEST_NAME]: 1}))
    with pytest.raises(RequestError, match=r"at most 8,192 characters: 'filter\[a\]") as caught:
        parsed(json.dumps({name: 1}))
    assert (caught.value.code, caught.value.issues[0].parameter) == ("query_too_large", name[:LONGEST_NAME])


@pytest.mark.parametrize(
    "body", ['{{"where": {{"or": [{}]}}}}', '{{"filter[id.in]": [{}]}}', '{{"filter[a]": 1, "where": [{}]}}']
)
@pytest.mark.parametrize("item", ["{}", "1", "[]", '{"a": 1}'])
def test_values_are_bounded_before_anything_is_built(body: str, item: str) -> None:
    """The text is read up to the first one too many, and not judged: what follows need not even be JSON."""
    with pytest.raises(RequestError, match="has more than 50,000 values") as caught:
        parsed(body.format(",".join([item] * MOST_VALUES)) + "}")

    assert caught.value.code == "query_too_large"


def test_commas_and_brackets_in_text_are_no_values() -> None:
    """As many as there may be in a comma list or a note."""
    text = 'a,[{}],"\\,' * MOST_VALUES

    assert parsed(json.dumps({"filter[note]": text})) == {"filter[note]": text}
    assert len(str(parsed(json.dumps({"filter[id.in]": [1] * (MOST_VALUES - 2)})))) > MOST_VALUES


@given(st.recursive(st.none() | st.text() | st.integers(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_any_json_is_read_or_refused(value: object) -> None:
    """No other exception leaves."""
    try:
        parsed(json.dumps(value))
    except RequestError as error:
        assert error.code in ("body_syntax", "parameter_invalid")  # noqa: PT017  # either way is right
