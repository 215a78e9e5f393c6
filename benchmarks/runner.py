"""The order of a run: database and sides up, every round each shape on each side, then the report's other numbers."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import sample_crm
from benchmarks import environment, linked
from benchmarks.idle import measure_idle
from benchmarks.load import CONNECTIONS
from benchmarks.processes import AbsentError, cpu_of_tree, machine_cpu, tool
from benchmarks.profiling import Profiler, find_profiler, take_profile
from benchmarks.questions import agree
from benchmarks.results import Profile, Results, SideFacts
from benchmarks.samples import Sample, summarise
from benchmarks.shapes import GATEWAY, RESOLVERS, SHAPES, ShapeName
from benchmarks.sides.database import start_database
from benchmarks.sides.gateway import start_gateway
from benchmarks.sides.php_crud_api import start_php_crud_api
from benchmarks.sides.plain import start_bare, start_empty, start_threads
from benchmarks.sides.resolvers import start_resolvers
from benchmarks.sides.script import start_script
from benchmarks.sides.side import Crm, HttpSide, Side, StartSide
from benchmarks.sides.staged import STAGED_STARTS
from benchmarks.sides.xmysql import start_xmysql
from gateway.settings import Settings
from sample_crm.scale import SCALES, ScaleName
from tests.support.mariadb import PrivateServer, Server

DATABASE = "gateway_bench"
ACCOUNT = "bench"
HIDDEN = frozenset({"hash", "token", "short_link"})
"""Columns of the invoice table that the gateway never shows; `HttpSide.check` sees whether this still holds."""

SETTLE_S = 60.0
_BUSY = f"SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE user = '{ACCOUNT}' AND command <> 'Sleep'"
_OF_INVOICES = (
    ("tblinvoices", "id", ""),
    ("tblitemable", "rel_id", " AND rel_type = 'invoice'"),
    ("tblitem_tax", "rel_id", " AND rel_type = 'invoice'"),
    ("tblsales_activity", "rel_id", " AND rel_type = 'invoice'"),
)
SERVER_OPTIONS = ("--innodb-buffer-pool-size=512M",)
STARTS: dict[str, StartSide] = {
    GATEWAY: start_gateway,
    "php-crud-api": start_php_crud_api,
    "xmysql": start_xmysql,
    RESOLVERS: start_resolvers,
    "threads": start_threads,
    "bare prototype": start_bare,
    "empty route": start_empty,
    "plain script": start_script,
    "database alone": start_database,
    **STAGED_STARTS,
}


@dataclass(frozen=True, slots=True)
class Options:
    """What to run: how much data, how often, how long each run, which shapes and sides."""

    scale: ScaleName = "bench"
    rounds: int = 5
    seconds: int = 4
    shapes: tuple[ShapeName, ...] = tuple(shape.name for shape in SHAPES)
    sides: tuple[str, ...] = tuple(STARTS)
    warm_up_s: int = 1
    profile_s: int = 6


@dataclass(frozen=True, slots=True)
class Data:
    """The database that is there for the run; ``pid`` is its server's process."""

    server: Server
    crm: Crm
    pid: int
    words: str


def say(text: str) -> None:
    """Tell whoever waits what is going on."""
    print(text, file=sys.stderr, flush=True)


def run(options: Options) -> Results:
    """Return the results of one whole run; takes minutes.

    Raises:
        AbsentError: wrk is missing, which nothing can be measured without.
    """
    tool("wrk", package="wrk")
    load_before = environment.load_average()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-bench-")))
        data = stack.enter_context(prepared(options.scale, directory))
        idle = measure_idle(data.crm, data.server)
        say(f"idle worker: {idle.resident_bytes / 1e6:.1f} MB, ready in {idle.started_in_s:.2f} s")
        sides, absent = started(stack, _with_linked(data, options), wanted(options))
        forget_invoices(data)
        samples = measured(sides, options, data)
        profiles, reason = profiled(sides, samples, options, data)
        load = (
            f"wrk, 1 thread, {CONNECTIONS} kept-alive connections, {options.rounds} rounds of {options.seconds} s per "
            f"side and shape ({brief(options.seconds)} s for first and deep pages, groups, and what is compared with "
            f"the create of a row; exports once each), interleaved; load average {load_before} before the run"
        )
        return Results(
            environment=environment.describe(_database_words(data.server), data.words, load),
            sides=[SideFacts(side.name, side.processes, side.columns, side.remark) for side in sides],
            absent=absent,
            samples=samples,
            count_deadline_ms=Settings().count_deadline_ms,
            is_full_scale=options.scale == "bench",
            idle=idle,
            profiles=profiles,
            without_profile=reason,
        )


# --- preparing ---


@contextmanager
def prepared(scale: ScaleName, directory: Path) -> Iterator[Data]:
    """Yield a private server with the sample CRM in it and an account that every side uses."""
    with PrivateServer.started(options=SERVER_OPTIONS) as server:
        say(f"building the sample CRM (scale {scale}) ...")
        summary = sample_crm.build(server.create_database(DATABASE), scale=scale)
        say(f"{summary.total:,} rows in {summary.seconds:.0f} s")
        server.address.run(
            f"CREATE USER '{ACCOUNT}'@'127.0.0.1' IDENTIFIED BY '{ACCOUNT}'",
            f"GRANT ALL PRIVILEGES ON `{DATABASE}`.* TO '{ACCOUNT}'@'127.0.0.1'",
        )
        account = replace(server.address, user=ACCOUNT, password=ACCOUNT, socket=None)
        assert server.pid is not None
        words = f"sample CRM, scale {scale}: {SCALES[scale].invoices:,} invoices, {summary.total:,} rows in all"
        yield Data(server.address, _crm(account, summary.rows, directory), server.pid, words)


def _crm(server: Server, counts: Mapping[str, int], directory: Path) -> Crm:
    rows = server.run("SHOW COLUMNS FROM tblinvoices", database=DATABASE)
    return Crm(
        url=server.url(DATABASE),
        host=server.host,
        port=server.port,
        user=server.user,
        password=server.password,
        database=DATABASE,
        invoices=counts["invoices"],
        notes=counts["notes"],
        columns=tuple(str(row[0]) for row in rows if row[0] not in HIDDEN),
        directory=directory,
    )


def _with_linked(data: Data, options: Options) -> Crm:
    """The CRM, with a copy that has foreign keys where somebody will join on it."""
    if "list_embeds" not in options.shapes or "php-crud-api" not in options.sides:
        return data.crm
    say("copying what is joined, with foreign keys ...")
    linked.make_linked(data.server, DATABASE, ACCOUNT)
    return replace(data.crm, linked=linked.DATABASE)


def _database_words(server: Server) -> str:
    version = server.run("SELECT VERSION()")[0][0]
    return (
        f"{version}, own server process, {' '.join(SERVER_OPTIONS)} --innodb-flush-log-at-trx-commit=2, no binlog, "
        "reached by TCP on 127.0.0.1 by every side"
    )


def wanted(options: Options) -> tuple[str, ...]:
    """Return the sides to start: those that do nothing but show what stages cost only where that is asked for."""
    return tuple(name for name in options.sides if name not in STAGED_STARTS or "stages" in options.shapes)


def started(stack: ExitStack, crm: Crm, names: Sequence[str]) -> tuple[list[Side], dict[str, str]]:
    """Return the sides that run, each asked once for everything it does, and why the others do not."""
    sides: list[Side] = []
    absent: dict[str, str] = {}
    for name in names:
        try:
            side = stack.enter_context(STARTS[name](crm))
        except AbsentError as reason:
            absent[name] = str(reason)
            say(f"{name}: not run: {reason}")
            continue
        side.check()
        sides.append(side)
    agree(sides)
    return sides, absent


# --- measuring ---


def measured(sides: Sequence[Side], options: Options, data: Data) -> dict[tuple[ShapeName, str], list[Sample]]:
    """Return the runs of each shape and side: in every round each side once, in another order than the round before."""
    samples: dict[tuple[ShapeName, str], list[Sample]] = defaultdict(list)
    seed = 0
    for number in range(options.rounds):
        say(f"round {number + 1} of {options.rounds}")
        for shape in (shape for shape in SHAPES if shape.name in options.shapes):
            able = [side for side in sides if shape.name in side.shapes]
            turn = number % len(able) if able else 0
            for side in able[turn:] + able[:turn]:
                seed += 1_000
                settle(data.server)
                if number == 0 and options.warm_up_s and not shape.is_once:
                    side.run(shape.name, seconds=options.warm_up_s, seed=seed)
                seconds = brief(options.seconds) if shape.is_brief else options.seconds
                sample = _run(side, shape.name, seconds, seed + 1, data.pid)
                samples[shape.name, side.name].append(sample)
                say(f"  {shape.name:15}{side.name:16}{sample.rate:9,.0f}/s{_warning(sample)}")
            if shape.name == "create_invoice":
                forget_invoices(data)
    return dict(samples)


def brief(seconds: int) -> int:
    """Return how long a brief shape runs."""
    return max(1, seconds // 2)


def forget_invoices(data: Data) -> None:
    """Delete the invoices that were created: lists and exports must find the same rows in each round."""
    settle(data.server)
    data.server.run(
        *(f"DELETE FROM {table} WHERE {column} > {data.crm.invoices}{scope}" for table, column, scope in _OF_INVOICES),
        database=DATABASE,
    )


def settle(server: Server) -> float:
    """Return the seconds until the database runs nothing any more: a run must not pay for what the last one left."""
    began = time.monotonic()
    idle_looks = 0
    while idle_looks < 3 and time.monotonic() - began < SETTLE_S:
        ((busy,),) = server.run(_BUSY)
        idle_looks = 0 if busy else idle_looks + 1
        time.sleep(0.05)
    waited = time.monotonic() - began
    if waited > 1:
        say(f"  the database was busy for {waited:.1f} s after the last run")
    return waited


def _run(side: Side, shape: ShapeName, seconds: int, seed: int, database_pid: int) -> Sample:
    readings: tuple[Callable[[], float], ...] = (
        side.cpu_s,
        lambda: cpu_of_tree(database_pid),
        machine_cpu,
        _own_cpu,
    )
    before = [read() for read in readings]
    sample = side.run(shape, seconds=seconds, seed=seed)
    ours, database, machine, load = (read() - start for read, start in zip(readings, before, strict=True))
    return replace(
        sample,
        cpu_s=ours or sample.cpu_s,
        database_cpu_s=database,
        foreign_cpu_s=machine - ours - database - load,
    )


def _own_cpu() -> float:
    """What this process took, and the load generators that it has waited for."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _warning(sample: Sample) -> str:
    words = [f"{sample.errors} errors"] if sample.errors else []
    if sample.foreign_cores is not None and sample.foreign_cores > 0.2:
        words.append(f"others kept {sample.foreign_cores:.1f} cores busy")
    return f"  ({'; '.join(words)})" if words else ""


def profiled(
    sides: Sequence[Side],
    samples: dict[tuple[ShapeName, str], list[Sample]],
    options: Options,
    data: Data,
) -> tuple[list[Profile], str]:
    """Return where the gateway's time goes for a row, a list, a create and GraphQL, or why that is not known."""
    gateway = next((side for side in sides if isinstance(side, HttpSide) and side.name == GATEWAY), None)
    if gateway is None or not options.profile_s:
        return [], "not asked for"
    profiles: list[Profile] = []
    shapes: tuple[ShapeName, ...] = ("one", "list", "create", "graphql_invoices")
    try:
        profiler = Profiler(find_profiler(), data.pid, data.crm.directory, options.profile_s)
        for shape in shapes:
            runs = samples.get((shape, GATEWAY))
            cpu_us = summarise(runs).cpu_us if runs else None
            if cpu_us:
                say(f"profile of {shape}")
                profiles.append(take_profile(profiler, gateway, shape, cpu_us))
    except AbsentError as reason:
        return profiles, str(reason)
    return profiles, ""
