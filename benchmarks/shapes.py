"""The shapes of request that are measured, and what each is meant to reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

ShapeName = Literal[
    "one", "list", "list_total", "list_new_total", "list_embeds",
    "list_first", "list_deep", "list_offset", "list_keyset",
    "groups", "groups_related", "export_csv", "export_ndjson",
    "create", "create_invoice", "create_many", "update", "stages",
    "rest_invoices", "graphql_invoices", "rest_variables", "graphql_variables", "rest_clients", "graphql_clients",
]  # fmt: skip

STATUS: Final = 2
LEAST_TOTAL: Final = 1000
PER_PAGE: Final = 25
PER_CLIENT: Final = 10
MANY: Final = 1_000
DEPTH: Final = 0.95
"""How far into the table a deep page lies: row 190,000 of 200,000."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of work that every side does in its own words.

    ``beside`` names the shape that the gateway's own rate is compared with, where no peer does the work
    as the gateway does it. ``is_brief`` shapes run half as long. ``is_once`` is one piece of work in each
    round, however long that takes, and nothing beforehand.
    """

    name: ShapeName
    title: str
    unit: str = "req/s"
    beside: ShapeName | None = None
    is_brief: bool = False
    is_once: bool = False


SHAPES: Final = (
    Shape("one", "One row by key, a random one each time"),
    Shape("list", f"List of {PER_PAGE} rows, filtered and sorted, without a count"),
    Shape("list_total", "The same list with its total, the same filter again and again"),
    Shape("list_new_total", "The same list with its total, every request another filter"),
    Shape("list_embeds", f"List of {PER_PAGE} invoices, each with its client and its lines"),
    Shape("list_first", "First page in key order", is_brief=True),
    Shape("list_deep", "Page at row 190,000 in key order, by cursor", beside="list_first", is_brief=True),
    Shape("list_offset", "Page at row 190,000 of a sort without an index, by offset", is_brief=True),
    Shape(
        "list_keyset",
        "Page at row 190,000 of a sort without an index, by cursor",
        beside="list_offset",
        is_brief=True,
    ),
    Shape("groups", "Groups: invoices by status and month, their number and total", is_brief=True),
    Shape("groups_related", "Groups: the 10 customers that paid most, of all payments", is_brief=True),
    Shape("export_csv", "Export of all invoices as CSV", "rows/s", is_once=True),
    Shape("export_ndjson", "Export of all invoices as NDJSON", "rows/s", is_once=True),
    Shape("create", "Create one row (a note)"),
    Shape("create_invoice", "Create an invoice with 3 lines, by the rules of sales", beside="create", is_brief=True),
    Shape("create_many", f"Create {MANY:,} rows (notes) in one request", "rows/s", beside="create", is_brief=True),
    Shape("update", "Change one row (a note) with If-Match", beside="create", is_brief=True),
    Shape("rest_invoices", f"By REST: {PER_PAGE} invoices x 10 fields, each with its client", is_brief=True),
    Shape(
        "graphql_invoices",
        f"GraphQL: {PER_PAGE} invoices x 10 fields, each with its client",
        beside="rest_invoices",
        is_brief=True,
    ),
    Shape("rest_variables", "By REST: the same invoices, every request another filter", is_brief=True),
    Shape(
        "graphql_variables",
        "GraphQL: the same document, every request other variables",
        beside="rest_variables",
        is_brief=True,
    ),
    Shape("rest_clients", f"By REST: {PER_PAGE} clients, each with {PER_CLIENT} invoices", is_brief=True),
    Shape(
        "graphql_clients",
        f"GraphQL: {PER_PAGE} clients, each with {PER_CLIENT} invoices",
        beside="rest_clients",
        is_brief=True,
    ),
    Shape("stages", "What the stages cost: one row by key, with each of them left out in turn, and with all"),
)


@dataclass(frozen=True, slots=True)
class Target:
    """The least that our rate may be of another side's; ``is_aim`` is what we would like rather than what must hold.

    With ``beside`` it is our own rate of another shape that ours is held to.
    """

    shape: ShapeName
    against: tuple[str, ...]
    least: float
    words: str
    is_aim: bool = False
    beside: ShapeName | None = None


GATEWAY: Final = "gateway"
RESOLVERS: Final = "resolvers"
NO_STAGES: Final = "no stages"
STAGED: Final = "without"
PEERS: Final = ("php-crud-api", "xmysql")
_AS_REST: Final = "at most 1.5 x the time of REST (0.67 of its rate)"
_RESOLVED: Final = "4 x strawberry with dataloaders"
TARGETS: Final = (
    Target("one", PEERS, 1.5, "1.5 x the best peer"),
    Target("one", ("php-crud-api",), 2.5, "2.5 x php-crud-api"),
    Target("one", PEERS, 2.0, "2 x the best peer", is_aim=True),
    Target("one", ("database alone",), 0.15, "15% of the database alone", is_aim=True),
    Target("one", ("bare prototype",), 0.87, "15% over the bare prototype (0.87 of its rate)", is_aim=True),
    Target("list", PEERS, 1.5, "1.5 x the best peer"),
    Target("list", PEERS, 2.0, "2 x the best peer", is_aim=True),
    Target("list", ("database alone",), 0.20, "20% of the database alone", is_aim=True),
    Target("list_total", ("php-crud-api",), 40.0, "40 x php-crud-api"),
    Target("list_new_total", ("php-crud-api",), 1.0, "1 x php-crud-api"),
    Target("list_embeds", ("php-crud-api",), 2.0, "2 x php-crud-api's join on a copy with foreign keys"),
    Target("list_deep", (GATEWAY,), 1 / 1.3, "within 1.3 x of the first page (0.77 of its rate)", beside="list_first"),
    Target("list_keyset", (GATEWAY,), 1.0, "no slower than by offset", beside="list_offset"),
    Target("export_csv", ("plain script",), 3.0, "3 x pymysql and csv in a plain script"),
    Target("export_ndjson", ("plain script",), 3.0, "3 x pymysql and json in a plain script"),
    Target("create", ("php-crud-api",), 2.0, "2 x php-crud-api"),
    Target("graphql_invoices", (GATEWAY,), 1 / 1.5, _AS_REST, beside="rest_invoices"),
    Target("graphql_invoices", (RESOLVERS,), 4.0, _RESOLVED),
    Target("graphql_clients", (GATEWAY,), 1 / 1.5, _AS_REST, beside="rest_clients"),
    Target("graphql_clients", (RESOLVERS,), 4.0, _RESOLVED),
    Target("stages", (NO_STAGES,), 1 / 1.15, "all together add at most 15% (0.87 of the rate without them)"),
)

LATE_PAGE_MS: Final = 10.0
"""How much later than the count deadline a page may be."""

EXPORTS: Final[tuple[ShapeName, ...]] = ("export_csv", "export_ndjson")
EXPORT_MB: Final = 60.0
FIRST_BYTE_MS: Final = 200.0
"""How much more memory than at rest an export may take, and how soon its first byte must come."""

MEMORY_MB: Final = 90.0
STARTUP_S: Final = 2.0
