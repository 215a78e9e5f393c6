"""The grant language: ``invoices:read,create``, ``customers:*``, ``*:read``, ``*:*``.

What comes in: grants as an administrator writes them. What goes out: `GrantRule`s,
and from them the operations per canonical resource. Grants only add up; ``*:*`` is
all of the data and nothing else: administration is a flag of the token, not a grant.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.catalog.model import Catalog
from gateway.errors import ConfigurationError
from gateway.query.access import OPERATIONS, Operation

ANY: Final = "*"
_BY_NAME: Final[Mapping[str, Operation]] = {operation: operation for operation in OPERATIONS}
_FORM: Final = "write RESOURCE:OPERATIONS, as in invoices:read, invoices:read,create or *:read"


@dataclass(frozen=True, slots=True)
class GrantRule:
    """One grant: a resource name or alias as written, or ``*`` for every resource, and what may be done."""

    resource: str
    operations: frozenset[Operation]

    def __str__(self) -> str:
        return f"{self.resource}:{operations_text(self.operations)}"


@dataclass(frozen=True, slots=True)
class ResolvedGrants:
    """Grants against a catalog: operations by canonical resource name (``*``: all others), and names it lacks.

    The operations of a resource include those of ``*``.
    """

    operations: Mapping[str, frozenset[Operation]]
    unknown: tuple[GrantRule, ...]


def parse_grant(text: str) -> GrantRule:
    """Return one grant.

    >>> str(parse_grant("invoices: create, read"))
    'invoices:read,create'
    >>> str(parse_grant("*:read,create,update,delete"))
    '*:*'

    Raises:
        ConfigurationError: it is not of the form, or names an operation that does not exist.
    """
    resource, colon, words = (part.strip() for part in text.rpartition(":"))
    if not colon or not resource or not words:
        raise ConfigurationError(f'"{text}" is not a grant: {_FORM}.')
    found: set[Operation] = set()
    for word in (word.strip() for word in words.split(",")):
        found |= _operations_of(word, text)
    return GrantRule(resource, frozenset(found))


def parse_grants(texts: Iterable[str]) -> tuple[GrantRule, ...]:
    """Return the grants of a token in order, each resource once with all that is granted on it.

    Raises:
        ConfigurationError: naming every text that is no grant.
    """
    merged: dict[str, frozenset[Operation]] = {}
    problems = []
    for text in texts:
        try:
            rule = parse_grant(text)
        except ConfigurationError as error:
            problems.append(error.detail)
            continue
        merged[rule.resource] = merged.get(rule.resource, frozenset()) | rule.operations
    if problems:
        raise ConfigurationError("The grants are not usable:", problems)
    return tuple(GrantRule(resource, operations) for resource, operations in merged.items())


def resolve_grants(rules: Iterable[GrantRule], catalog: Catalog) -> ResolvedGrants:
    """Return what rules grant on a catalog's resources; aliases count for the resource they stand for."""
    named: dict[str, frozenset[Operation]] = {}
    unknown = []
    for rule in rules:
        table = catalog.resources.get(rule.resource)
        name = rule.resource if rule.resource == ANY else (table.resource if table else None)
        if name is None:
            unknown.append(rule)
            continue
        named[name] = named.get(name, frozenset()) | rule.operations
    for_all = named.get(ANY, frozenset())
    return ResolvedGrants({name: operations | for_all for name, operations in named.items()}, tuple(unknown))


def operations_text(operations: Iterable[Operation]) -> str:
    """Return operations in their one order, ``*`` for all of them."""
    given = frozenset(operations)
    return ANY if given == frozenset(OPERATIONS) else ",".join(word for word in OPERATIONS if word in given)


def _operations_of(word: str, text: str) -> frozenset[Operation]:
    if word == ANY:
        return frozenset(OPERATIONS)
    operation = _BY_NAME.get(word)
    if operation is None:
        close = difflib.get_close_matches(word, OPERATIONS, 1)
        hint = f'; did you mean "{close[0]}"?' if close else ""
        raise ConfigurationError(f'"{text}": unknown operation "{word}", there are {", ".join(OPERATIONS)} and *{hint}')
    return frozenset({operation})
