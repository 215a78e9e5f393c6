"""Large questions about the schema: one at a time, few that wait, none that nobody waits for, answers that stay."""

from __future__ import annotations

import asyncio
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.errors import UnavailableError
from gateway.graphql.request import GraphQLRequest
from gateway.query.access import Access, Grant
from gateway.web.graphql import introspecting
from gateway.web.graphql.introspecting import MOST_OF_ONE, MOST_WORKS, Introspection, introspection_of
from gateway.web.graphql.preparing import OfSchema
from gateway.web.service import Service
from tests.support.small_graphql import small_documents

ACCESS = Access("somebody", {"*": Grant(frozenset({"read"}))})
SERVICE = cast("Service", SimpleNamespace(kept={}))


def question(number: int = 0, comment: str = "") -> OfSchema:
    """A large question; each number asks another."""
    documents = small_documents()
    text = f"{{ a{number}: __schema {{ types {{ name }} }} }}{comment}"
    return OfSchema(documents, documents.read(text), GraphQLRequest(text))


class Working:
    """Works that take until they are let go on, and fail when they are told to."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun: list[str] = []
        self.failing = False

    def __call__(self, _service: Service, _access: Access, asked: OfSchema) -> tuple[Mapping[str, bytes], Any]:
        self.begun.append(asked.request.document)
        assert self.gate.wait(20)
        if self.failing:
            raise ZeroDivisionError
        told = {"a": asked.request.document.encode()}
        return told, {key: zlib.compress(value) for key, value in told.items()}


@pytest.fixture
def working(monkeypatch: pytest.MonkeyPatch) -> Iterator[Working]:
    """What works the answers out; it is let go on at the end, so that no thread stays."""
    made = Working()
    monkeypatch.setattr(introspecting, "_told", made)
    yield made
    made.gate.set()


def begin(told: Introspection, number: int, by: str = "one", access: Access = ACCESS) -> asyncio.Task[Any]:
    return asyncio.create_task(told.answer(SERVICE, access, question(number), by))


async def until(is_so: Callable[[], bool]) -> None:
    """Return as soon as something is so."""
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(0.005)


async def settle(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_who_asks_the_same_waits_for_the_same_work(working: Working) -> None:
    """However it is written, and whoever asks; afterwards it is answered from memory."""
    told = Introspection()
    tasks = [begin(told, 1, by) for by in ("one", "two", "three")]
    tasks.append(asyncio.create_task(told.answer(SERVICE, ACCESS, question(1, " # again"), "four")))
    await until(lambda: bool(working.begun))
    assert told.working == 1
    working.gate.set()
    answers = await asyncio.gather(*tasks)
    again = await told.answer(SERVICE, ACCESS, question(1), "five")

    assert all(answer == again for answer in answers)
    assert (len(working.begun), told.working) == (1, 0)


async def test_one_caller_has_few_works_and_all_together_some(working: Working) -> None:
    """The next one is refused at once, and may come again when there is room."""
    told = Introspection()
    tasks = [begin(told, number) for number in range(MOST_OF_ONE)]
    await until(lambda: told.working == MOST_OF_ONE)
    with pytest.raises(UnavailableError) as of_one:
        await told.answer(SERVICE, ACCESS, question(50), "one")
    tasks += [begin(told, number, f"other {number}") for number in range(MOST_OF_ONE, MOST_WORKS)]
    await until(lambda: told.working == MOST_WORKS)
    with pytest.raises(UnavailableError) as of_all:
        await told.answer(SERVICE, ACCESS, question(51), "somebody else")
    working.gate.set()
    await asyncio.gather(*tasks)

    assert [(caught.value.code, caught.value.status) for caught in (of_one, of_all)] == [("overloaded", 503)] * 2
    assert "Retry-After" in of_one.value.headers
    assert await told.answer(SERVICE, ACCESS, question(50), "one")


async def test_what_nobody_waits_for_is_not_begun(working: Working) -> None:
    """A client that hangs up takes its question along, unless another waits for it too, or it has begun."""
    told = Introspection()
    running = begin(told, 1, "one")
    await until(lambda: len(working.begun) == 1)
    left, shared, other = begin(told, 2, "one"), begin(told, 3, "two"), begin(told, 3, "three")
    await until(lambda: told.working == 3)
    for task in (running, left, shared):
        await settle(task)

    assert told.working == 2
    working.gate.set()
    assert await other
    assert await told.answer(SERVICE, ACCESS, question(1), "two")
    assert len(working.begun) == 2
    assert await begin(told, 2, "one")


async def test_a_question_that_was_left_may_be_asked_again_at_once(working: Working) -> None:
    """Whoever comes next does not share the end of the work that nobody waited for."""
    told = Introspection()
    running = begin(told, 1, "one")
    await until(lambda: len(working.begun) == 1)
    left = begin(told, 2, "two")
    await until(lambda: told.working == 2)
    left.cancel()
    await asyncio.sleep(0)
    again = begin(told, 2, "two")
    await asyncio.gather(left, return_exceptions=True)
    working.gate.set()

    assert await again
    assert await running


async def test_a_failure_is_not_kept(working: Working) -> None:
    """All who wait hear of it, the next one tries again."""
    told, working.failing = Introspection(), True
    tasks = [begin(told, 1), begin(told, 1, "two")]
    working.gate.set()
    assert all(isinstance(each, ZeroDivisionError) for each in await asyncio.gather(*tasks, return_exceptions=True))
    working.failing = False

    assert await begin(told, 1)


async def test_other_rights_have_another_answer(working: Working) -> None:
    """The schema is another one."""
    told = Introspection()
    working.gate.set()
    await begin(told, 1)
    await begin(told, 1, access=Access("other", {"invoices": Grant(frozenset({"read"}))}))

    assert len(working.begun) == 2


async def test_the_answers_asked_for_last_stay(working: Working) -> None:
    """As many as all together may take."""
    told = Introspection(most_bytes=1_500)
    working.gate.set()
    for number in (1, 2, 1, 3):
        await begin(told, number)
    working.begun.clear()
    await begin(told, 1)
    assert working.begun == []
    await begin(told, 2)
    assert len(working.begun) == 1


async def test_a_small_question_waits_for_none() -> None:
    """One type and its fields, while large ones are worked on."""
    documents, told = small_documents(), Introspection()
    text = '{ __type(name: "Client") { name } }'
    asked = OfSchema(documents, documents.read(text), GraphQLRequest(text))

    assert await told.answer(SERVICE, ACCESS, asked, "one") == {"__type": b'{"name":"Client"}'}
    assert told.working == 0


def test_answers_go_with_their_catalog() -> None:
    """Each has its own."""
    one, other = (cast("Service", SimpleNamespace(kept={})) for _ in range(2))

    assert introspection_of(one) is introspection_of(one)
    assert introspection_of(one) is not introspection_of(other)
