"""Results -> Markdown. Pure: numbers come in, text goes out, nothing is measured or estimated here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from benchmarks.results import Idle, Profile, Results
from benchmarks.samples import Sample, Summary, grown_bytes, latest_first_byte_ms, paired_ratio, summarise
from benchmarks.shapes import (
    EXPORT_MB,
    EXPORTS,
    FIRST_BYTE_MS,
    GATEWAY,
    LATE_PAGE_MS,
    MEMORY_MB,
    SHAPES,
    STARTUP_S,
    TARGETS,
    Shape,
    ShapeName,
    Target,
)

NOISY_CORES = 0.2
NOT_RUN = "not run"
_WHOLE_ROWS = ("one", "list", "list_total", "list_new_total", *EXPORTS)
_HEAD = """\
# Benchmark results

Written by `make bench`; docs/performance.md says how it measures and how to read this. Rates are medians of
interleaved runs, *spread* is (highest - lowest) / median, *ours* is the gateway's rate over that side's, the median of
the runs taken pairwise. p50 and p99 are medians of the runs, *max* is the worst page of any run. *CPU* is what the
side's own processes took per request, *DB CPU* what the database took; both disturb less than rates do. *others* is
how many cores the rest of the machine kept busy in the worst run: above {noisy} the row is marked (!) as noisy. Where a
table counts rows, so does CPU; the times are those of requests.
"""


def render(results: Results) -> str:
    """Return the whole report."""
    parts = [
        _HEAD.format(noisy=NOISY_CORES),
        "## Targets\n\n" + _caveat(results) + _table(("work", "target", "measured", "verdict"), _target_rows(results)),
        *(f"## {shape.title}\n\n" + _shape_table(results, shape) for shape in SHAPES),
        "## Idle worker\n\n" + _idle_text(results.idle),
        "## Where the time goes\n\n" + _profile_text(results.profiles, results.without_profile),
        "## Sides\n\n" + _table(("side", "processes", "columns of a list", "what it is"), _side_rows(results)),
        "## Environment\n\n" + _table(("what", "which"), results.environment.items()),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


# --- targets ---


def _caveat(results: Results) -> str:
    if results.is_full_scale:
        return ""
    return "They are meant for scale bench; with as little data as here a count costs next to nothing.\n\n"


def _target_rows(results: Results) -> Iterator[Sequence[str]]:
    titles = {shape.name: shape.title for shape in SHAPES}
    for target in TARGETS:
        words = f"{'aim' if target.is_aim else 'must'}: {target.words}"
        yield (titles[target.shape], words, *_verdict(results, target))
    yield from _export_rows(results)
    yield _late_page_row(results)
    yield from _idle_rows(results.idle)


def _verdict(results: Results, target: Target) -> tuple[str, str]:
    ratio = target_ratio(results, target)
    if ratio is None:
        return NOT_RUN, NOT_RUN
    return f"{_ratio(ratio)} x", judged(ratio / target.least)


def target_ratio(results: Results, target: Target) -> float | None:
    """Return our rate over the best of the sides a target names; None when none of them ran."""
    ours = results.samples.get((target.shape, GATEWAY), ())
    theirs = [results.samples.get((target.beside or target.shape, name), ()) for name in target.against]
    ratios = [ratio for samples in theirs if (ratio := paired_ratio(ours, samples)) is not None]
    return min(ratios, default=None)


def judged(fulfilment: float) -> str:
    """Return the verdict on a measured value that is so many times what it should be.

    >>> judged(1.2), judged(0.9)
    ('met', 'missed by 10%')
    """
    return "met" if fulfilment >= 1 else f"missed by {(1 - fulfilment) * 100:.0f}%"


def _late_page_row(results: Results) -> Sequence[str]:
    limit = results.count_deadline_ms + LATE_PAGE_MS
    words = f"must: no page later than the count deadline + {LATE_PAGE_MS:.0f} ms ({limit:.0f} ms)"
    title = "List with its total, every request another filter"
    samples = results.samples.get(("list_new_total", GATEWAY), ())
    worst = summarise(samples).max_ms if samples else None
    if worst is None:
        return title, words, NOT_RUN, NOT_RUN
    return title, words, f"max {worst:.0f} ms", judged(limit / worst)


def _export_rows(results: Results) -> Iterator[Sequence[str]]:
    """The memory of every export and the first byte of each, whichever was the worst."""
    samples = [sample for shape in EXPORTS for sample in results.samples.get((shape, GATEWAY), ())]
    grown, first_ms = grown_bytes(samples), latest_first_byte_ms(samples)
    memory = ("Memory of an export", f"must: within {EXPORT_MB:.0f} MB of what the worker held before")
    first = ("First byte of an export, in key order", f"must: within {FIRST_BYTE_MS:.0f} ms")
    yield (*memory, *((NOT_RUN, NOT_RUN) if grown is None else _held(grown / 1e6, EXPORT_MB, "MB")))
    yield (*first, *((NOT_RUN, NOT_RUN) if first_ms is None else _held(first_ms, FIRST_BYTE_MS, "ms")))


def _held(worst: float, limit: float, unit: str) -> tuple[str, str]:
    return f"max {worst:.0f} {unit}", judged(limit / worst) if worst > limit else "met"


def _idle_rows(idle: Idle | None) -> Iterator[Sequence[str]]:
    memory, startup = f"must: below {MEMORY_MB:.0f} MB", f"must: below {STARTUP_S:.0f} s"
    if idle is None:
        yield "Memory of an idle worker", memory, NOT_RUN, NOT_RUN
        yield "Startup", startup, NOT_RUN, NOT_RUN
        return
    megabytes = idle.resident_bytes / 1e6
    yield "Memory of an idle worker", memory, f"{megabytes:.1f} MB", judged(MEMORY_MB / megabytes)
    yield "Startup", startup, f"{idle.started_in_s:.2f} s", judged(STARTUP_S / idle.started_in_s)


# --- one table per shape ---


def _shape_table(results: Results, shape: Shape) -> str:
    heads = (
        "side",
        "columns",
        shape.unit,
        "spread",
        "ours",
        "p50 ms",
        "p99 ms",
        "max ms",
        "CPU us",
        "DB CPU us",
        "others",
    )
    rows = list(_shape_rows(results, shape.name))
    return _table(heads, rows) + _beside(results, shape) + _downloaded(results, shape) if rows else NOT_RUN


def _beside(results: Results, shape: Shape) -> str:
    """Return how the gateway's own rate compares with that of the plainer work, where both ran."""
    if shape.beside is None:
        return ""
    ours, plain = (results.samples.get((name, GATEWAY), ()) for name in (shape.name, shape.beside))
    ratio = paired_ratio(ours, plain)
    if ratio is None:
        return ""
    title = next(other.title for other in SHAPES if other.name == shape.beside)
    return f"\n\nThe gateway's {shape.unit} here are {_ratio(ratio)} x those of *{title}*."


def _downloaded(results: Results, shape: Shape) -> str:
    """Return how soon downloads began and what they took of memory, side by side, where the shape is one."""
    if shape.name not in EXPORTS:
        return ""
    return "".join(f"\n\n{words}" for words in _download_words(results, shape.name))


def _download_words(results: Results, shape: ShapeName) -> Iterator[str]:
    for side in results.sides:
        samples = results.samples.get((shape, side.name), ())
        grown, first_ms = grown_bytes(samples), latest_first_byte_ms(samples)
        if grown is None:
            continue
        began = "" if first_ms is None else f", the first byte after {first_ms:.0f} ms at most"
        yield f"*{side.name}*: memory up to {grown / 1e6:.1f} MB above what it held before{began}."


def _shape_rows(results: Results, shape: ShapeName) -> Iterator[Sequence[str]]:
    ours = results.samples.get((shape, GATEWAY), ())
    for side in results.sides:
        samples = results.samples.get((shape, side.name), ())
        if samples:
            ratio = None if side.name == GATEWAY else paired_ratio(ours, samples)
            columns = _number(side.columns) if shape in _WHOLE_ROWS else "-"
            yield (side.name, columns, *_numbers(summarise(samples), ratio))
    for name in results.absent:
        yield (name, NOT_RUN, *("",) * 9)


def _numbers(summary: Summary, ratio: float | None) -> Sequence[str]:
    errors = f", {summary.errors} errors" if summary.errors else ""
    return (
        f"{summary.rate:,.0f}{errors}",
        f"{summary.spread * 100:.0f}%",
        f"{_ratio(ratio)} x" if ratio is not None else "",
        _number(summary.p50_ms, 1),
        _number(summary.p99_ms, 1),
        _number(summary.max_ms, 0),
        _number(summary.cpu_us, 0),
        _number(summary.database_cpu_us, 0),
        _others(summary.foreign_cores),
    )


def _others(cores: float | None) -> str:
    return "-" if cores is None else f"{cores:.2f}{' (!)' if cores > NOISY_CORES else ''}"


# --- the rest ---


def _idle_text(idle: Idle | None) -> str:
    if idle is None:
        return NOT_RUN
    return (
        f"All {idle.tables} tables of the CRM in the whitelist but those that may never be exposed: {idle.resources} "
        f"resources served. Ready {idle.started_in_s:.2f} s after the start of `gateway serve` (preflight and imports "
        f"included); {idle.resident_bytes / 1e6:.1f} MB resident before the first request."
    )


def _profile_text(profiles: Sequence[Profile], reason: str) -> str:
    if not profiles:
        return f"{NOT_RUN}: {reason}" if reason else NOT_RUN
    titles = {shape.name: shape.title for shape in SHAPES}
    phases = list(dict.fromkeys(phase for profile in profiles for phase in profile.shares))
    heads = ("phase", *(f"{titles[profile.shape]}, us" for profile in profiles))
    rows = [
        (phase, *(f"{profile.shares.get(phase, 0) * profile.cpu_us:.0f}" for profile in profiles)) for phase in phases
    ]
    rows.append(("**CPU of the worker per request**", *(f"**{profile.cpu_us:.0f}**" for profile in profiles)))
    return (
        "Microseconds of the worker's CPU per request: the CPU measured without a profiler, shared out by the stacks "
        "that py-spy saw under the same load, with a core for the worker alone.\n\n" + _table(heads, rows)
    )


def _side_rows(results: Results) -> Iterator[Sequence[str]]:
    for side in results.sides:
        yield side.name, side.processes, _number(side.columns), side.remark
    for name, reason in results.absent.items():
        yield name, NOT_RUN, "", reason


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines.extend("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows)
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _ratio(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def count_of_runs(samples: Iterable[Sequence[Sample]]) -> int:
    """Return the least number of runs that anything had."""
    return min((len(runs) for runs in samples), default=0)
