"""Schemas per rights: made once for all who wait, shared by equal rights, the ones used last kept."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.query.access import Access, Grant, Operation
from gateway.query.intent import ConditionIntent
from gateway.web.graphql.schemas import Prospect, Schemas, schemas_of, shape_of
from gateway.web.service import Service


def access(name: str, *operations: Operation, **limits: Any) -> Access:
    return Access(name, {"invoices": Grant(frozenset(operations), **limits)})


def filtered(client: str) -> tuple[ConditionIntent, ...]:
    return (ConditionIntent(("clientid",), client, "rows"),)


class Builds:
    """Makes prospects that are nothing but their shape, and remembers for whom, and in which thread."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.threads: set[int] = set()
        self.failing = 0

    def __call__(self, service: Service, access: Access) -> Prospect:
        self.made.append(access.principal)
        self.threads.add(threading.get_ident())
        if self.failing:
            self.failing -= 1
            raise ZeroDivisionError
        return cast("Prospect", SimpleNamespace(shape=shape_of(access)))


SERVICE = cast("Service", SimpleNamespace(kept={}))


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        (access("b", "read", row_filter=filtered("1")), True),
        (access("b", "read", row_filter=filtered("2")), True),
        (access("b", "read"), False),
        (access("b", "read", "create", row_filter=filtered("1")), False),
        (access("b", "read", readable=frozenset({"id"}), row_filter=filtered("1")), False),
        (access("b", "read", writable=frozenset({"id"}), row_filter=filtered("1")), False),
        (Access("b", {"*": Grant(frozenset({"read"}))}), False),
        (Access("b"), False),
    ],
)
def test_a_shape_is_what_may_be_named(other: Access, *, is_same: bool) -> None:
    """That there is a row filter counts, which rows it leaves does not."""
    assert (shape_of(access("a", "read", row_filter=filtered("1"))) == shape_of(other)) is is_same


async def test_equal_rights_share_what_is_made_once() -> None:
    """Also where several ask before it is there; it is made beside the loop."""
    builds = Builds()
    schemas = Schemas(SERVICE, builds, 4)
    first, second = await asyncio.gather(schemas.of(access("a", "read")), schemas.of(access("b", "read")))
    third = await schemas.of(access("c", "read"))

    assert first is second is third
    assert builds.made == ["a"]
    assert builds.threads != {threading.get_ident()}


async def test_who_goes_away_leaves_the_work_to_the_others() -> None:
    """A client that is gone ends its own wait alone."""
    builds = Builds()
    schemas = Schemas(SERVICE, builds, 4)
    gone, stays = (asyncio.create_task(schemas.of(access(name, "read"))) for name in ("gone", "stays"))
    await asyncio.sleep(0)
    gone.cancel()

    assert (await stays).shape == shape_of(access("x", "read"))
    assert builds.made == ["gone"]
    assert gone.cancelled()


async def test_a_failure_is_tried_again() -> None:
    """It is no one's schema."""
    builds = Builds()
    builds.failing = 1
    schemas = Schemas(SERVICE, builds, 4)
    with pytest.raises(ZeroDivisionError):
        await schemas.of(access("a", "read"))
    await schemas.of(access("a", "read"))

    assert builds.made == ["a", "a"]


async def test_the_ones_used_last_are_kept() -> None:
    """As many as the settings say."""
    builds = Builds()
    schemas = Schemas(SERVICE, builds, 2)
    reader, writer, both = access("r", "read"), access("w", "create"), access("b", "read", "create")
    for each in (reader, writer, reader, both, reader, writer):
        await schemas.of(each)

    assert len(schemas) == 2
    assert builds.made == ["r", "w", "b", "w"]


def test_a_catalog_has_one_set_of_schemas() -> None:
    """They go with the service that holds them."""
    one, other = (cast("Service", SimpleNamespace(kept={})) for _ in range(2))

    assert schemas_of(one, Builds(), 2) is schemas_of(one, Builds(), 2)
    assert schemas_of(one, Builds(), 2) is not schemas_of(other, Builds(), 2)
