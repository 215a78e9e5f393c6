"""Errors of the request path use registered codes, and every registered code of it is used."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.errors import FIELD_CODES, REGISTRY
from tests.support.app import ROOT

PACKAGES = ("query", "rest", "sql", "operations", "security", "web", "execution", "formats", "graphql")
CLASSES = {
    "RequestError": {400, 406, 408, 413, 414, 415, 431},
    "CredentialError": {401},
    "ForbiddenError": {403},
    "NotFoundError": {404},
    "MethodError": {405},
    "ThrottledError": {429},
    "ConflictError": {409, 412},
    "ValidationError": {422},
    "UnavailableError": {503, 504},
    "InternalError": {500},
}
"""The statuses of each class, as the tree in `gateway.errors` has them."""


def sources() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / "gateway" / package).rglob("*.py"))


def calls(path: Path, names: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield (name, first argument) of each call of some names with a literal first argument."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(code)), *_]) if name in names:
                yield name, code


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT / "gateway")))
def test_every_error_has_a_registered_code_of_its_class(path: Path) -> None:
    """A class is a family of statuses; a code outside it would be rendered with another."""
    for name, code in calls(path, frozenset(CLASSES)):
        assert code in REGISTRY, code
        assert REGISTRY[code].status in CLASSES[name], (name, code)


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT / "gateway")))
def test_every_refused_value_has_a_registered_field_code(path: Path) -> None:
    """The codes inside a 422."""
    for _, code in calls(path, frozenset({"RefusedValueError"})):
        assert code in FIELD_CODES, code


def test_every_code_is_used() -> None:
    """A code that nothing raises is one that nobody needs to know."""
    text = "\n".join(path.read_text("utf-8") for path in (ROOT / "gateway").rglob("*.py") if path.name != "errors.py")
    errors = (ROOT / "gateway" / "errors.py").read_text("utf-8")

    assert [code for code in REGISTRY if f'"{code}"' not in text and errors.count(f'"{code}"') < 2] == []
    assert [code for code in FIELD_CODES if f'"{code}"' not in text] == []
