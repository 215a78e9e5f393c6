"""What a client asked, structured but unchecked: names are text and remember where they stood.

Every front end ends here: REST, GraphQL and OData differ up to the intent and
again in the reply. Names are resolved, and values coerced, by the planner only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gateway.catalog.kinds import PLAIN_FORMAT, ValueFormat

Quantifier = Literal["some", "none", "every"]


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
class AllIntent:
    """Every part holds; no parts hold always."""

    parts: tuple[FilterIntent, ...]


@dataclass(frozen=True, slots=True)
class AnyIntent:
    """Some part holds; no parts hold never."""

    parts: tuple[FilterIntent, ...]


@dataclass(frozen=True, slots=True)
class NotIntent:
    """The part is false; unknown (a null) stays unknown."""

    part: FilterIntent


@dataclass(frozen=True, slots=True)
class RelatedIntent:
    """A condition on the rows that a path of relationships leads to.

    ``filter[payments][amount.gt]=0`` is ``RelatedIntent(("payments",), "some", …)``, and several
    of one path are one intent, so that they speak of one row. ``quantifier`` belongs to the last
    relationship and must be ``some`` where that is a to-one. ``parameter`` is where it stood.
    """

    path: tuple[str, ...]
    quantifier: Quantifier
    part: FilterIntent
    parameter: str


FilterIntent = ConditionIntent | AllIntent | AnyIntent | NotIntent | RelatedIntent


@dataclass(frozen=True, slots=True)
class OrderIntent:
    """One sort key, most significant first; ``parameter`` is where it stood."""

    field: str
    descending: bool = False
    parameter: str = "sort"


@dataclass(frozen=True, slots=True)
class EmbedIntent:
    """A relationship whose rows come along: ``include=client.contracts`` is two of them.

    ``path`` has the keys of the reply from the root, which are the relationships' names; in groups it
    begins with the words of a grouped relationship. ``relationship`` is the name of the last one where
    its key is another, as of a relationship that comes along twice. A path whose ancestors are not
    named includes them. ``limit`` is None for the default number of rows per parent, which begin after the
    first ``offset`` ones. ``takes_labels``
    and ``is_tagged`` are as in `ReadIntent`. ``parameter`` is the first parameter that named it, ``size`` the
    one of the limit where that is not ``include[path][limit]``, ``start`` that of the offset.

    With ``metrics``, whose words are as in `AggregateIntent`, numbers over the rows of a to-many come along
    and none of the rows: only ``conditions`` may be given beside them, and nothing is included in them.
    """

    path: tuple[str, ...]
    fields: tuple[str, ...] | None = None
    conditions: tuple[FilterIntent, ...] = ()
    order: tuple[OrderIntent, ...] = ()
    limit: int | None = None
    parameter: str = "include"
    relationship: str | None = None
    takes_labels: bool = False
    is_tagged: bool = False
    metrics: tuple[str, ...] | None = None
    offset: int = 0
    size: str | None = field(default=None, compare=False)
    start: str | None = field(default=None, compare=False)

    @property
    def followed(self) -> str:
        """The name of the relationship at the end."""
        return self.relationship if self.relationship is not None else self.path[-1]


@dataclass(frozen=True, slots=True)
class PageIntent:
    """The rows wanted: ``limit`` of them after ``offset``; None takes the default.

    ``after`` is the position of the last row seen, one value per sort key with the row's key
    last (`query.positions`); then ``offset`` is 0. ``size`` and ``start`` are the parameters that
    said how many rows and where they begin, ``start`` the cursor's where there is one; which of the spellings it
    was makes no other page.
    """

    limit: int | None = None
    offset: int = 0
    after: tuple[object, ...] | None = None
    size: str = field(default="per_page", compare=False)
    start: str = field(default="page", compare=False)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a front end calls what a question has one of: errors name it as it was sent. These are REST's words."""

    search: str = "q"
    groups: str = "group"


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
    key columns that the caller may read, whatever ``fields`` names. ``are_embeds_whole`` brings all rows of a to-many
    along where no limit is named, as exports do. ``has_labels`` puts each label beside its field; with
    ``takes_labels`` ``fields`` may name labels one by one. ``is_tagged`` says whether each row's tag is asked for; None
    is the tag of one row, and none of a list's.
    """

    resource: str
    key: tuple[str, ...] | None = None
    origin: Origin | None = None
    fields: tuple[str, ...] | None = None
    conditions: tuple[FilterIntent, ...] = ()
    search: str | None = None
    order: tuple[OrderIntent, ...] = ()
    page: PageIntent = PageIntent()
    count: str = "exact"
    format: ValueFormat = PLAIN_FORMAT
    needs_key: bool = False
    embeds: tuple[EmbedIntent, ...] = ()
    has_labels: bool = False
    are_embeds_whole: bool = False
    takes_labels: bool = False
    is_tagged: bool | None = None
    parameters: Parameters = field(default=Parameters(), compare=False)


@dataclass(frozen=True, slots=True)
class AggregateIntent:
    """Groups of rows with their metrics: ``group=agent,date.month&metrics=count,sum.total``.

    ``groups`` and ``metrics`` are the words as sent, which are also the keys of the reply;
    ``order`` names some of them. The path of a ``having`` condition is the metric's words and an
    operator: ``("sum", "total", "gte")``. No groups are one row over everything, no metrics are ``count``.
    """

    resource: str
    origin: Origin | None = None
    groups: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    having: tuple[ConditionIntent, ...] = ()
    conditions: tuple[FilterIntent, ...] = ()
    search: str | None = None
    order: tuple[OrderIntent, ...] = ()
    page: PageIntent = PageIntent()
    count: str = "exact"
    format: ValueFormat = PLAIN_FORMAT
    embeds: tuple[EmbedIntent, ...] = ()
    has_labels: bool = False
    parameters: Parameters = field(default=Parameters(), compare=False)


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
