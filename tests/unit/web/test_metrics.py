"""Metrics: what a worker counts, how several workers become one, and who may listen."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.errors import ConfigurationError
from gateway.observe import Event, ReadRetried, StatementTimedOut, TokenRefused
from gateway.settings import Settings
from gateway.web import tally as tallies
from gateway.web.exchange import Exchange
from gateway.web.metrics import DIRECTORY_VARIABLE, FAMILIES, Metrics, read_workers, render_metrics, write_worker
from gateway.web.metrics_listener import start_metrics, sweep_left
from gateway.web.tally import BUCKETS_S, Sample, Tally

DOCS = Path(__file__).parents[3] / "docs" / "metrics.md"


def shown(text: bytes) -> dict[tuple[str, ...], float]:
    """Samples, as Prometheus parses them, by name and the values of their labels in the order of `FAMILIES`."""
    order = [*(label for family in FAMILIES for label in family.labels), "le"]
    families = text_string_to_metric_families(text.decode())
    return {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels, key=order.index))): sample.value
        for family in families
        for sample in family.samples
    }


def answered(status: int = 200, code: str = "", resource: str = "leads") -> Exchange:
    return Exchange("id", 0.0, "handler", resource=resource, operation="read", status=status, code=code)


def ended_process() -> int:
    """The id of a process that has ended."""
    return int(
        subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True).stdout
    )


def test_requests_are_counted_by_resource_operation_and_status() -> None:
    """And errors by where they were answered."""
    tally = Tally()
    tally.note(answered(), 0.002)
    tally.note(answered(), 0.002)
    tally.note(answered(403, "grant_missing"), 0.002)
    found = shown(render_metrics([(tally.samples(), True)]))

    assert found["gateway_requests_total", "leads", "read", "200"] == 2
    assert found["gateway_requests_total", "leads", "read", "403"] == 1
    assert found["gateway_refusals_total", "handler", "grant_missing"] == 1


def test_durations_are_a_histogram_whose_buckets_add_up() -> None:
    """A duration on a bound is within it; none is lost beyond the last."""
    tally = Tally()
    for seconds in (0.0001, BUCKETS_S[0], 0.3, 99.0):
        tally.note(answered(), seconds)
    found = shown(render_metrics([(tally.samples(), True)]))
    name = "gateway_request_duration_seconds"

    assert found[f"{name}_bucket", "read", "0.001"] == 2
    assert found[f"{name}_bucket", "read", "0.5"] == 3
    assert found[f"{name}_bucket", "read", "30.0"] == 3
    assert found[f"{name}_bucket", "read", "+Inf"] == found[f"{name}_count", "read"] == 4
    assert found[f"{name}_sum", "read"] == pytest.approx(99.3011)


def test_memory_stays_bounded_whatever_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels are of closed lists; should one not be, the rest is counted together."""
    monkeypatch.setattr(tallies, "MOST_SERIES", 2)
    tally = Tally()
    for number in range(50):
        tally.note(answered(resource=str(number)), 0.001)
    found = {
        key: value for key, value in shown(render_metrics([(tally.samples(), True)])).items() if key[1:2] != ("read",)
    }

    assert found["gateway_requests_total", "(other)", "read", "200"] == 48
    assert sum(value for key, value in found.items() if key[0] == "gateway_requests_total") == 50


def test_events_are_counted_and_handed_on() -> None:
    """Each by its name."""
    events: list[Event] = []
    tally = Tally()
    observe = tally.observing(events.append)
    for event in (ReadRetried(), StatementTimedOut(), ReadRetried()):
        observe(event)

    assert events == [ReadRetried(), StatementTimedOut(), ReadRetried()]
    assert (tally.events(ReadRetried), tally.events(TokenRefused)) == (2, 0)
    assert shown(render_metrics([(tally.samples(), True)]))["gateway_events_total", "ReadRetried"] == 2


def worker(requests: int, up: int, running: int, seconds: float) -> list[Sample]:
    counts = [0.0] * (len(BUCKETS_S) + 1) + [seconds]
    counts[3] = requests
    return [
        ("gateway_requests", ("leads", "read", "200"), requests),
        ("gateway_request_duration_seconds", ("read",), counts),
        ("gateway_requests_in_flight", (), running),
        ("gateway_database_up", (), up),
        ("gateway_catalog_reload_failed", (), 1 - up),
    ]


def test_workers_become_one() -> None:
    """Counters and what runs add up; of what must hold everywhere the worst counts."""
    found = shown(render_metrics([(worker(3, 1, 2, 0.5), True), (worker(4, 0, 1, 0.25), True)]))

    assert found["gateway_requests_total", "leads", "read", "200"] == 7
    assert found[("gateway_requests_in_flight",)] == 3
    assert found[("gateway_database_up",)] == 0
    assert found[("gateway_catalog_reload_failed",)] == 1
    assert found["gateway_request_duration_seconds_count", "read"] == 7
    assert found["gateway_request_duration_seconds_sum", "read"] == 0.75


def test_of_a_worker_that_ended_the_counts_stay_and_nothing_else(tmp_path: Path) -> None:
    """A counter that went back would look like a restart; a gauge of nobody is none."""
    write_worker(tmp_path, worker(3, 1, 2, 0.5))
    (tmp_path / f"{os.getpid()}.json").rename(tmp_path / f"{ended_process()}.json")
    write_worker(tmp_path, worker(4, 1, 1, 0.25))
    found = shown(render_metrics(read_workers(tmp_path)))

    assert found["gateway_requests_total", "leads", "read", "200"] == 7
    assert found[("gateway_requests_in_flight",)] == 1


def test_another_process_with_the_id_of_an_ended_worker_is_not_taken_for_it(tmp_path: Path) -> None:
    """A worker that lives writes every second."""
    write_worker(tmp_path, worker(3, 1, 2, 0.5))
    os.utime(tmp_path / f"{os.getpid()}.json", (time.time() - 60,) * 2)

    assert [is_alive for _, is_alive in read_workers(tmp_path)] == [False]


def test_a_file_that_cannot_be_read_costs_its_own_metrics_alone(tmp_path: Path) -> None:
    """The others are shown."""
    (tmp_path / "1.json").write_bytes(b"[[")
    write_worker(tmp_path, worker(3, 1, 2, 0.5))

    assert len(read_workers(tmp_path)) == 1
    write_worker(tmp_path / "none", worker(1, 1, 1, 1.0))


async def test_a_scrape_shows_this_worker_as_it_is_now(tmp_path: Path) -> None:
    """Its own file, a second old, does not count beside it."""
    samples = worker(3, 1, 2, 0.5)
    metrics = Metrics(lambda: samples, str(tmp_path))
    metrics.start()
    await metrics.stop()
    samples[0] = ("gateway_requests", ("leads", "read", "200"), 5)

    assert shown(metrics.text())["gateway_requests_total", "leads", "read", "200"] == 5
    assert shown(render_metrics(read_workers(tmp_path)))["gateway_requests_total", "leads", "read", "200"] == 3


def test_every_metric_is_documented() -> None:
    """By the name that Prometheus shows, with its labels."""
    text = DOCS.read_text(encoding="utf-8")
    missing = [
        f.name for f in FAMILIES if f"| `{f.shown}` | {', '.join(f'`{x}`' for x in f.labels) or '-'} |" not in text
    ]

    assert missing == []


# The launcher


@pytest.fixture
def free_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(DIRECTORY_VARIABLE, raising=False)
    yield
    os.environ.pop(DIRECTORY_VARIABLE, None)


@pytest.mark.usefixtures("free_environment")
def test_the_launchers_listener_shows_every_worker_without_a_token() -> None:
    """On an address of its own; both end with the launcher."""
    home = start_metrics(Settings(metrics_address="127.0.0.1:0"))
    directory = Path(os.environ[DIRECTORY_VARIABLE])
    try:
        assert list(directory.iterdir()) == []
        write_worker(directory, worker(3, 1, 2, 0.5))
        with urlopen(f"http://127.0.0.1:{home.port}/metrics", timeout=10) as answer:
            found = shown(answer.read())
        with pytest.raises(HTTPError) as refused:
            urlopen(f"http://127.0.0.1:{home.port}/healthz", timeout=10)
        refused.value.close()
    finally:
        home.close()

    assert found["gateway_requests_total", "leads", "read", "200"] == 3
    assert refused.value.code == 404, "whoever asks for health there is not told that all is well"
    assert not directory.exists()
    assert DIRECTORY_VARIABLE not in os.environ


def test_what_launchers_that_were_killed_left_behind_is_removed(tmp_path: Path) -> None:
    """Not what a launcher that runs made, nor what was written a moment ago, nor what is none of ours."""
    names = {
        "gateway-metrics-4194305-old": 3_600,
        "gateway-metrics-nothing": 3_600,
        "gateway-metrics-4194305-new": 1,
        f"gateway-metrics-{os.getpid()}-mine": 3_600,
        "something-else": 3_600,
    }
    for name, age_s in names.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.json").touch()
        os.utime(tmp_path / name, (time.time() - age_s,) * 2)
    (tmp_path / "gateway-metrics-link").symlink_to(tmp_path / "something-else")

    sweep_left(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == set(list(names)[2:]) | {"gateway-metrics-link"}


@pytest.mark.usefixtures("free_environment")
def test_a_listener_that_cannot_be_is_told_at_start() -> None:
    """And nothing is left behind."""
    home = start_metrics(Settings(metrics_address="127.0.0.1:0"))
    try:
        with pytest.raises(ConfigurationError, match="Cannot listen on GATEWAY_METRICS_ADDRESS"):
            start_metrics(Settings(metrics_address=f"127.0.0.1:{home.port}"))
    finally:
        home.close()
