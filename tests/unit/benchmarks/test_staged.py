"""The gateway without some of its stages: what is left out, what stands in, when such sides are started."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.types import Receive, Scope, Send

from benchmarks.runner import STARTS, Options, wanted
from benchmarks.shapes import NO_STAGES, SHAPES, STAGED, TARGETS
from benchmarks.sides.staged import STAGED_STARTS
from benchmarks.staged import ALL, INSTEAD, NAMES, SOMEBODY, NoAuthentication, NoHeaders, stages_without
from gateway.web.exchange import exchange_of


def test_without_anything_left_out_it_is_the_product() -> None:
    """The same stages, not others of the same names."""
    assert stages_without(()) == ALL


@pytest.mark.parametrize("name", NAMES)
def test_one_stage_is_left_out(name: str) -> None:
    """The others stay where they are; those that find something out are stood in for."""
    left = stages_without((name,))

    assert [stage for stage in left if stage in ALL] == [stage for stage in ALL if stage.name != name]
    assert [stage for stage in left if stage not in ALL] == [INSTEAD[name] for _ in (0,) if name in INSTEAD]


def test_without_stages_only_stand_ins_are_left() -> None:
    """In the order of what they stand in for."""
    assert [stage.name for stage in stages_without(NAMES)] == ["headers", "authenticate", "authorize"]
    assert not set(stages_without(NAMES)) & set(ALL)


async def test_stand_ins_give_what_those_behind_them_need() -> None:
    """An exchange, and somebody who asks."""
    seen: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(exchange_of(scope).principal)

    await NoHeaders(NoAuthentication(app))({"type": "http"}, None, None)  # type: ignore[arg-type]  # nothing is sent

    assert seen == [SOMEBODY]


def test_every_stage_has_a_side() -> None:
    """And there is one without any."""
    assert set(STAGED_STARTS) == {NO_STAGES, *(f"{STAGED} {name}" for name in NAMES)}


def test_sides_without_stages_are_started_only_where_their_shape_is_run() -> None:
    """They do nothing else, and each holds memory and connections."""
    assert set(wanted(Options())) == set(STARTS)
    assert set(wanted(replace(Options(), shapes=("one",)))) == set(STARTS) - set(STAGED_STARTS)


def test_what_all_stages_may_cost_is_a_target() -> None:
    """15 % of a one-row read: what takes 1.15 times as long has 1 / 1.15 of the rate."""
    (target,) = (target for target in TARGETS if target.shape == "stages")

    assert (target.against, target.least, target.is_aim) == ((NO_STAGES,), 1 / 1.15, False)
    assert "stages" in {shape.name for shape in SHAPES}
