"""How much one document may ask for, and how a refusal says so: what it costs, and what the limit is.

Every limit that a document can pass is named here, those of the settings and our own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from gateway.graphql.faults import DocumentError, Place
from gateway.query.bulk import MOST_ROWS
from gateway.settings import Settings

Measure = Literal[
    "document",
    "tokens",
    "nesting",
    "definitions",
    "selections",
    "variables",
    "directives",
    "depth",
    "aliases",
    "introspection_depth",
    "introspection",
    "complexity",
    "written",
    "texts",
]
"""What is counted. All but the last three are known before the document is validated."""

MOST_COUNTED: Final = 1_000_000_000
"""Where counting ends: fragments in fragments come to numbers that nobody can write."""

MOST_FAULTS: Final = 10
"""Faults of one document that are told; more are found again once these are mended."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one document; the first seven are settings, and ``texts`` are as many as a body may hold."""

    tokens: int = 4_000
    document_bytes: int = 100_000
    depth: int = 12
    aliases: int = 50
    complexity: int = 100_000
    introspection_depth: int = 20
    is_introspection_open: bool = True
    nesting: int = 100
    definitions: int = 100
    selections: int = 2_000
    variables: int = 100
    directives: int = 200
    introspection: int = 1_000_000
    written: int = MOST_ROWS
    texts: int = 4_194_304


def limits_of(settings: Settings) -> Limits:
    """Return the limits that the settings name."""
    return Limits(
        tokens=settings.graphql_max_tokens,
        document_bytes=settings.graphql_max_document_bytes,
        depth=settings.graphql_max_depth,
        aliases=settings.graphql_max_aliases,
        complexity=settings.graphql_max_complexity,
        introspection_depth=settings.graphql_max_introspection_depth,
        is_introspection_open=settings.graphql_introspection,
        texts=max(settings.max_body_bytes, settings.max_bulk_body_bytes),
    )


def check(measure: Measure, cost: int, limit: int, *, locations: Iterable[Place] = ()) -> None:
    """Pass while a document costs no more than the limit.

    Raises:
        DocumentError: ``query_too_large``; its extensions hold ``measure``, ``cost`` and ``limit``.
    """
    if cost > limit:
        cost = min(cost, MOST_COUNTED)
        detail = f"{_SAID[measure].format(limit=limit, cost=cost)} {_ADVICE[measure]}"
        extensions: dict[str, str | int] = {"measure": measure, "cost": cost, "limit": limit}
        raise DocumentError("query_too_large", detail, locations=locations, extensions=extensions)


_SAID: Final[dict[Measure, str]] = {
    "document": "A document has at most {limit} bytes; this one has {cost}.",
    "tokens": "A document has at most {limit} tokens, comments among them; this one has {cost}.",
    "nesting": "Brackets of a document stand at most {limit} inside each other; here it is {cost}.",
    "definitions": "A document has at most {limit} operations and fragments; this one has {cost}.",
    "selections": "A document selects at most {limit} times, each fragment counted wherever it is spread;"
    " this one does so {cost} times.",
    "variables": "An operation has at most {limit} variables; this one has {cost}.",
    "directives": "A document has at most {limit} directives; this one has {cost}.",
    "depth": "Selections of an operation stand at most {limit} inside each other; here it is {cost}.",
    "aliases": "An operation asks for at most {limit} fields under another name; this one for {cost}.",
    "introspection_depth": "Selections of an introspection stand at most {limit} inside each other; here it is {cost}.",
    "introspection": "An introspection comes to at most {limit} objects; this one to {cost}.",
    "complexity": "An operation may come to at most {limit} objects by the limits of its lists; this one to {cost}.",
    "written": "The mutations of a document write at most {limit} rows together; these may write {cost}.",
    "texts": "The arguments of an operation hold at most {limit} characters of text, a variable's counted wherever it"
    " stands; these hold {cost}.",
}

_ADVICE: Final[dict[Measure, str]] = {
    "document": "Send long values as variables.",
    "tokens": "Send long values as variables, or several documents.",
    "nesting": "Send deep values as variables.",
    "definitions": "Send several documents.",
    "selections": "Select fewer fields, or send several documents.",
    "variables": "Put values together in one object or list.",
    "directives": "Select what is due in several documents.",
    "depth": "Ask for the inner rows by themselves.",
    "aliases": "Ask with `in` or `or` for what several fields ask for, or send several documents.",
    "introspection_depth": "Ask for the types by their names.",
    "introspection": "Ask for the types by their names.",
    "complexity": "Name smaller limits, or ask for the inner rows by themselves.",
    "written": "Name smaller maxAffected, or send several documents.",
    "texts": "Send several documents.",
}
