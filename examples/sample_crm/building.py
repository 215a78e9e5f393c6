"""Building the sample CRM: one pass over the areas, in the order in which they refer to each other."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from sample_crm.areas.annotations import fill_annotations
from sample_crm.areas.clients import fill_clients
from sample_crm.areas.contracts import fill_contracts
from sample_crm.areas.credit_notes import fill_credit_notes
from sample_crm.areas.customfields import fill_custom_fields
from sample_crm.areas.estimates import fill_estimates
from sample_crm.areas.expenses import fill_expenses
from sample_crm.areas.invoices import fill_invoices
from sample_crm.areas.leads import fill_leads
from sample_crm.areas.lookups import fill_lookups
from sample_crm.areas.office import fill_office
from sample_crm.areas.options import fill_default_options, fill_options
from sample_crm.areas.projects import fill_projects
from sample_crm.areas.proposals import fill_proposals
from sample_crm.areas.showcase import fill_showcase
from sample_crm.areas.staff import fill_staff
from sample_crm.areas.surveys import fill_surveys
from sample_crm.areas.system import fill_system
from sample_crm.areas.tasks import fill_tasks
from sample_crm.areas.tickets import fill_tickets
from sample_crm.days import Days, crm_today
from sample_crm.engines import open_engine
from sample_crm.scale import SCALES, ScaleName
from sample_crm.schema import DEFAULT_PREFIX
from sample_crm.store import Engine, Store
from sample_crm.target import SampleError, parse_target
from sample_crm.world import World

Progress = Callable[[str], None]
_PREFIX = re.compile(r"[A-Za-z0-9_]{0,20}")
_EARLIEST, _LATEST = date(2015, 1, 1), date(2035, 1, 1)


@dataclass(frozen=True, slots=True)
class Summary:
    """What was built where. ``rows`` counts per table, named without prefix."""

    target: str
    scale: ScaleName
    seed: int
    today: date
    rows: Mapping[str, int]
    seconds: float

    @property
    def total(self) -> int:
        """The number of rows in all tables."""
        return sum(self.rows.values())


def build(
    target: str,
    *,
    scale: ScaleName = "demo",
    seed: int = 2026,
    today: date | None = None,
    prefix: str = DEFAULT_PREFIX,
    progress: Progress | None = None,
    replace: bool = False,
) -> Summary:
    """Return what was built: the schema and a CRM full of rows at ``target``.

    The same seed, scale and ``today`` (default: the current date in the CRM's zone) give the same rows on every
    engine. ``replace`` drops the CRM's own tables first, or swaps the SQLite file.

    Raises:
        SampleError: the address, the scale or the date cannot be used, or the database is not empty.
    """
    if scale not in SCALES:
        raise SampleError(f"there is no scale {scale!r}: use one of {', '.join(SCALES)}")
    day = today or crm_today()
    if not _EARLIEST <= day <= _LATEST:
        raise SampleError(f"{day} is too far away: choose a date from {_EARLIEST} to {_LATEST}")
    started = time.perf_counter()

    def fill(store: Store) -> None:
        fill_world(World(store, Days(day), SCALES[scale], seed), progress or _silent)

    rows = _fill_database(target, prefix, fill, replace=replace, progress=progress or _silent)
    seconds = time.perf_counter() - started
    return Summary(parse_target(target).label, scale, seed, day, rows, seconds)


def build_schema(
    target: str, prefix: str = DEFAULT_PREFIX, *, lookups: bool = False, replace: bool = False
) -> Mapping[str, int]:
    """Return the rows per table of a freshly built empty CRM; ``lookups`` adds statuses, countries, options …

    Raises:
        SampleError: the address cannot be used, or the database is not empty.
    """

    def fill(store: Store) -> None:
        if lookups:
            world = World(store, Days(crm_today()), SCALES["tiny"], 0)
            fill_lookups(world)
            fill_default_options(world)

    return _fill_database(target, prefix, fill, replace=replace, progress=_silent)


def fill_world(world: World, progress: Progress) -> None:
    """Fill all tables of an empty world."""
    steps: tuple[tuple[str, Callable[[World], None]], ...] = (
        ("lookups and staff", _fill_base),
        ("leads", fill_leads),
        ("customers", fill_clients),
        ("projects", fill_projects),
        ("invoices, payments, credits, estimates", _fill_sales),
        ("proposals", fill_proposals),
        ("contracts", fill_contracts),
        ("expenses", fill_expenses),
        ("tickets", fill_tickets),
        ("tasks", fill_tasks),
        ("notes, files, tags", fill_annotations),
        ("custom fields", fill_custom_fields),
        ("office", fill_office),
        ("surveys", fill_surveys),
        ("system", fill_system),
        ("what the documentation shows", fill_showcase),
        ("options", fill_options),
    )
    for name, fill in steps:
        progress(name)
        fill(world)


def _fill_base(world: World) -> None:
    fill_lookups(world)
    fill_staff(world)


def _fill_sales(world: World) -> None:
    orders = fill_invoices(world)
    fill_credit_notes(world, orders.credits)
    fill_estimates(world, orders.estimates)


def _fill_database(
    target: str, prefix: str, fill: Callable[[Store], None], *, replace: bool, progress: Progress
) -> Mapping[str, int]:
    if not _PREFIX.fullmatch(prefix):
        raise SampleError(f"{prefix!r} cannot be a table prefix: use letters, digits and underscores")
    engine: Engine = open_engine(parse_target(target), prefix, replace=replace)
    try:
        progress("tables")
        engine.create()
        store = Store(engine)
        fill(store)
        rows = store.flush()
        progress("indexes")
        engine.finish()
    except BaseException:
        engine.abandon()
        raise
    return rows


def _silent(_: str) -> None:
    """Report nothing."""
