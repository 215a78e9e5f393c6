"""Fields of one key of the reply: merged where they ask for the same, refused where they do not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, SelectionNode, ValueNode, parse

from gateway.graphql import merging
from gateway.graphql.faults import DocumentError
from gateway.graphql.merging import conflicts, grouped


def read(text: str) -> tuple[dict[str, FragmentDefinitionNode], OperationDefinitionNode]:
    parsed = parse(text).definitions
    fragments = {each.name.value: each for each in parsed if isinstance(each, FragmentDefinitionNode)}
    return fragments, next(each for each in parsed if isinstance(each, OperationDefinitionNode))


def found(text: str) -> list[DocumentError]:
    return list(conflicts(*read(text)))


def everything(_: SelectionNode) -> bool:
    return True


def keys(text: str) -> list[str]:
    fragments, operation = read(text)
    return list(grouped(fragments, (operation.selection_set,), everything))


def test_fields_come_in_the_order_in_which_they_first_stand() -> None:
    """Fragments laid out where they are spread."""
    text = "{ a ...F d a ... { e } } fragment F on Q { c ...G a } fragment G on Q { b }"

    assert keys(text) == ["a", "c", "b", "d", "e"]


def test_what_is_left_out_is_not_there() -> None:
    """A fragment that is left out once is laid out where it is spread again."""
    fragments, operation = read("{ a @skip(if: true) ...F @skip(if: true) ...F } fragment F on Q { b }")

    assert list(grouped(fragments, (operation.selection_set,), lambda node: not node.directives)) == ["b"]


@pytest.mark.parametrize(
    "text",
    [
        "{ a a a: a }",
        "{ a(x: 1, y: [{b: 2, c: $d}]) a(y: [{c: $d, b: 2}], x: 1) }",
        "{ a { b } a { c } }",
        "{ a { b: c } d { b: e } }",
        '{ a(x: """t""") a(x: """t""") a: a(x: """t""") }',
        "{ a { ...F } b: a { ...F c: d } } fragment F on Q { c: d }",
    ],
)
def test_fields_that_ask_for_the_same_are_merged(text: str) -> None:
    """Whatever the order of their arguments."""
    assert not found(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{ a: b a: c }", "'b' and 'c' are different fields"),
        ("{ a(x: 1) a(x: 2) }", "'a' has different arguments"),
        ("{ a(x: 1) a }", "'a' has different arguments"),
        ("{ a a(x: 1) }", "'a' has different arguments"),
        ("{ a(x: 1) a(x: 1.0) }", "'a' has different arguments"),
        ('{ a(x: "ON") a(x: ON) }', "'a' has different arguments"),
        ("{ a(x: $b) a(x: $c) }", "'a' has different arguments"),
        ("{ a(x: [1]) a(x: 1) }", "'a' has different arguments"),
        ("{ a(x: {b: 1}) a(x: {b: 1, c: null}) }", "'a' has different arguments"),
        ("{ a { b: c } a { b: d } }", "'c' and 'd' are different fields"),
        ("{ a { ...F } a { b: d } } fragment F on Q { ... { b: c } }", "'c' and 'd' are different fields"),
        ("{ ...F ...G } fragment F on Q { a(x: true) } fragment G on Q { a(x: null) }", "'a' has different arguments"),
        ("{ a @skip(if: true) a: b }", "'a' and 'b' are different fields"),
    ],
)
def test_fields_that_ask_for_different_things_are_refused(text: str, reason: str) -> None:
    """Both places are told, and what would mend it."""
    (fault,) = found(text)

    assert fault.code == "graphql_invalid"
    assert reason in fault.detail
    assert len(fault.locations) == 2


def test_each_field_is_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand fields of one key are 999 comparisons, and their arguments are looked at once each."""
    formed: list[object] = []
    form = merging._form

    def counted(value: ValueNode) -> object:
        formed.append(value)
        return form(value)

    monkeypatch.setattr(merging, "_form", counted)

    assert not found("{" + "a(x: 1) " * 1_000 + "}")
    assert len(formed) == 1_000


def test_conflicts_are_found_one_after_the_other() -> None:
    """So that who has enough of them stops there."""
    faults = conflicts(*read("{" + "".join(f"a: b{i} " for i in range(1_000)) + "}"))

    assert isinstance(faults, Iterator)
    assert "'b0' and 'b1'" in next(faults).detail
