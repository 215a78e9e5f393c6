"""What a client asked, structured but unchecked: names are text and remember where they stood.

Every front end ends here: REST, GraphQL and OData differ up to the intent and
again in the reply. Names are resolved, and values coerced, by the planner only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.catalog.kinds import PLAIN_FORMAT, ValueFormat


@dataclass(frozen=True, slots=True)
class ConditionIntent:
    """One comparison: ``filter[total.gte]=1000``.

    ``path`` are the dotted segments, the operator among them: which segment is an
    operator only the planner can tell. ``operand`` is the value as sent: text, or
    a JSON value from a body. ``parameter`` is the parameter's name as sent.
    """

    path: tuple[str, ...]
    operand: object
    parameter: str


@dataclass(frozen=True, slots=True)
class OrderIntent:
    """One sort key, most significant first."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class PageIntent:
    """The rows wanted: ``limit`` of them after ``offset``; None takes the default."""

    limit: int | None = None
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Origin:
    """The parent a list is asked through: ``/clients/12/invoices``."""

    resource: str
    key: tuple[str, ...]
    relationship: str


@dataclass(frozen=True, slots=True)
class ReadIntent:
    """A list of rows, or one row when ``key`` is set.

    ``fields`` is None when the client named none. ``count`` is ``exact``,
    ``estimate`` or ``none``; one row is never counted. ``needs_key`` asks for the
    key columns whatever ``fields`` names.
    """

    resource: str
    key: tuple[str, ...] | None = None
    origin: Origin | None = None
    fields: tuple[str, ...] | None = None
    conditions: tuple[ConditionIntent, ...] = ()
    search: str | None = None
    order: tuple[OrderIntent, ...] = ()
    page: PageIntent = PageIntent()
    count: str = "exact"
    format: ValueFormat = PLAIN_FORMAT
    needs_key: bool = False


@dataclass(frozen=True, slots=True)
class WriteIntent:
    """A create (no key), a change (key and values) or a delete (key, no values).

    ``values`` maps field names to JSON values (or text from a form, when
    ``is_form``); numbers from JSON arrive as `int`, `Decimal` or text, never as a float.
    """

    resource: str
    key: tuple[str, ...] | None = None
    values: Mapping[str, object] | None = None
    is_form: bool = False
    format: ValueFormat = PLAIN_FORMAT
