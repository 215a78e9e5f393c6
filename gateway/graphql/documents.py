"""Texts -> documents, each parsed and validated once as long as it is kept.

In this order, so that nothing expensive is done for what a cheaper look refuses: bytes, tokens, parse, what the
text alone costs, the library's rules, fields of one key.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from graphql import DocumentNode, FragmentDefinitionNode, GraphQLError, GraphQLSchema, parse, validate

from gateway.graphql.document import Document
from gateway.graphql.faults import DocumentError, InvalidDocumentError
from gateway.graphql.limits import MOST_FAULTS, Limits, check
from gateway.graphql.measures import deciding, measured
from gateway.graphql.merging import conflicts
from gateway.graphql.rules import AllRules
from gateway.graphql.scanning import scan

TOKENS_EACH: Final = 30
"""Tokens that a kept document has on the average: those of all that are kept are bounded too.

One takes up to 700 bytes, and with what is worked out from it (layouts, shapes) as much again.
"""

_MOST_SAID: Final = 500


class Documents:
    """The documents of one schema; at most ``kept`` of them, of so many times `TOKENS_EACH` tokens in all, are kept.

    ``validated`` counts what was parsed and validated. Refused texts are not kept.
    """

    def __init__(self, schema: GraphQLSchema, limits: Limits, kept: int) -> None:
        self.schema = schema
        self.limits = limits
        self.validated = 0
        self._kept: dict[tuple[str, bool], Document] = {}
        self._most = kept
        self._weight = 0

    def __len__(self) -> int:
        return len(self._kept)

    def read(self, text: str, *, is_admin: bool = False) -> Document:
        """Return the document of a text; only to administrators are names suggested in place of unknown ones.

        Raises:
            DocumentError: ``query_too_large``, ``graphql_syntax``, ``graphql_invalid``.
            InvalidDocumentError: ``graphql_invalid``, with every fault up to `MOST_FAULTS`.
        """
        key = (text, is_admin)
        found = self._kept.pop(key, None)
        if found is not None:
            self._kept[key] = found
            return found
        return self._keep(key, self._made(text, is_admin=is_admin))

    def _keep(self, key: tuple[str, bool], document: Document) -> Document:
        before = self._kept.pop(key, None)
        self._kept[key] = document
        self._weight += document.weight - (before.weight if before is not None else 0)
        while len(self._kept) > self._most or (self._weight > self._most * TOKENS_EACH and len(self._kept) > 1):
            self._weight -= self._kept.pop(next(iter(self._kept))).weight
        return document

    def _made(self, text: str, *, is_admin: bool) -> Document:
        limits = self.limits
        check("document", len(text.encode("utf-8", "surrogatepass")), limits.document_bytes)
        scanned = scan(text)
        check("tokens", scanned.tokens, limits.tokens)
        check("nesting", scanned.nesting, limits.nesting)
        parsed = _parsed(text)
        costs = measured(parsed, limits)
        self.validated += 1
        _check_rules(self.schema, parsed, is_admin=is_admin)
        fragments = {each.name.value: each for each in parsed.definitions if isinstance(each, FragmentDefinitionNode)}
        _refuse(fault for operation in costs for fault in conflicts(fragments, operation))
        variables = frozenset(
            each.variable.name.value for operation in costs for each in operation.variable_definitions or ()
        )
        return Document(
            parsed,
            text,
            scanned.tokens,
            costs,
            fragments,
            variables,
            may_introspect=is_admin or limits.is_introspection_open,
            deciding=deciding(parsed),
        )


def _parsed(text: str) -> DocumentNode:
    try:
        return parse(text)
    except GraphQLError as error:
        raise _fault("graphql_syntax", error, error.message.removeprefix("Syntax Error: ")) from None


def _check_rules(schema: GraphQLSchema, document: DocumentNode, *, is_admin: bool) -> None:
    errors = validate(schema, document, (AllRules,), max_errors=MOST_FAULTS - 1, hide_suggestions=not is_admin)
    _refuse(_fault("graphql_invalid", error, error.message) for error in errors)


def _refuse(faults: Iterable[DocumentError]) -> None:
    """Raise the first faults, if there is one."""
    found = tuple(islice(faults, MOST_FAULTS))
    if found:
        raise InvalidDocumentError(found)


def _fault(code: str, error: GraphQLError, detail: str) -> DocumentError:
    places = ((each.line, each.column) for each in error.locations or ())
    shown = detail if len(detail) <= _MOST_SAID else f"{detail[:_MOST_SAID]}..."
    return DocumentError(code, shown, locations=places)
