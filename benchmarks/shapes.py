"""The shapes of request that are measured, and what each is meant to reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

ShapeName = Literal[
    "one", "list", "list_total", "list_new_total", "create", "create_invoice", "create_many", "update"
]  # fmt: skip

STATUS: Final = 2
LEAST_TOTAL: Final = 1000
PER_PAGE: Final = 25
MANY: Final = 1_000


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of work that every side does in its own words.

    ``beside`` names the shape that the gateway's own rate is compared with, where no peer does the work
    as the gateway does it. ``is_brief`` shapes run half as long.
    """

    name: ShapeName
    title: str
    unit: str = "req/s"
    beside: ShapeName | None = None
    is_brief: bool = False


SHAPES: Final = (
    Shape("one", "One row by key, a random one each time"),
    Shape("list", f"List of {PER_PAGE} rows, filtered and sorted, without a count"),
    Shape("list_total", "The same list with its total, the same filter again and again"),
    Shape("list_new_total", "The same list with its total, every request another filter"),
    Shape("create", "Create one row (a note)"),
    Shape("create_invoice", "Create an invoice with 3 lines, by the rules of sales", beside="create", is_brief=True),
    Shape("create_many", f"Create {MANY:,} rows (notes) in one request", "rows/s", beside="create", is_brief=True),
    Shape("update", "Change one row (a note) with If-Match", beside="create", is_brief=True),
)


@dataclass(frozen=True, slots=True)
class Target:
    """The least that our rate may be of another side's; ``is_aim`` is what we would like rather than what must hold."""

    shape: ShapeName
    against: tuple[str, ...]
    least: float
    words: str
    is_aim: bool = False


PEERS: Final = ("php-crud-api", "xmysql")
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
    Target("create", ("php-crud-api",), 2.0, "2 x php-crud-api"),
)

GATEWAY: Final = "gateway"
LATE_PAGE_MS: Final = 10.0
"""How much later than the count deadline a page may be."""

MEMORY_MB: Final = 90.0
STARTUP_S: Final = 2.0
