"""Stage 2 and the origins it asks: preflights, pages that may call, passwords that browsers lend."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from gateway.errors import ForbiddenError, UnavailableError
from gateway.security.policy import Policy, policy_text
from gateway.settings import Settings
from gateway.state.tokens import TokenRecord
from gateway.web.exchange import EXCHANGE, Exchange
from gateway.web.origins import Origins
from gateway.web.stages import shield
from gateway.web.stages.cors import METHODS, Cors

PAGE = "https://app.example"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ASKING = (b"access-control-request-method", b"GET")
BASIC = (b"authorization", b"Basic eDp5")


def token(*origins: str, ends: datetime | None = None) -> TokenRecord:
    policy = policy_text(Policy(origins=origins))
    return TokenRecord(1, "one", "gw_live_ab", b"", ("*:*",), False, None, LONG_AGO, ends, None, policy)


@dataclass(slots=True)
class Store:
    """Tokens that can be looked at, and how often that was done."""

    tokens: tuple[TokenRecord, ...] = ()
    looks: int = 0
    failure: Exception | None = None

    def all(self) -> Iterable[TokenRecord]:
        self.looks += 1
        if self.failure is not None:
            raise self.failure
        return self.tokens


@dataclass(slots=True)
class World:
    """The stage in front of an application that remembers who came through, on a clock that the test moves."""

    store: Store = field(default_factory=Store)
    setting: str = ""
    now: float = 0.0
    passed: int = 0

    def stage(self) -> Callable[..., Any]:
        origins = Origins(self.setting, self.store.all, lambda: self.now)
        cors = Cors(self._app, Settings(cors_max_age_s=77), origins)

        async def ask(
            method: str, origin: str, *headers: tuple[bytes, bytes], path: str = "/api/v1/invoices"
        ) -> list[Message]:
            sent: list[Message] = []

            async def send(message: Message) -> None:
                sent.append(message)

            scope: Scope = {"type": "http", "method": method, "path": path, "headers": list(headers)}
            scope[EXCHANGE] = Exchange("id", 0.0, origin=origin)
            await cors(scope, None, send)  # type: ignore[arg-type]  # no body is read
            return sent

        return ask

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.passed += 1


@pytest.mark.parametrize("setting", [PAGE, f"https://x.example, {PAGE}", "*"])
async def test_a_preflight_is_answered_without_credentials(setting: str) -> None:
    """Browsers never send any with it; nothing behind the stage sees it."""
    world = World(setting=setting)

    answer = (await world.stage()("OPTIONS", PAGE, ASKING))[0]
    said = dict(answer["headers"])

    assert (answer["status"], world.passed, world.store.looks) == (204, 0, 0)
    assert said[b"access-control-max-age"] == b"77"
    assert {"PATCH", "QUERY", "DELETE"} <= set(said[b"access-control-allow-methods"].decode().split(", "))
    assert {"Authorization", "If-Match", "X-Signature"} <= set(
        said[b"access-control-allow-headers"].decode().split(", ")
    )


def test_pages_may_use_every_method_there_is() -> None:
    """The shield's list and this one are the same methods."""
    assert set(METHODS) == shield.METHODS


async def test_a_page_that_nobody_named_may_not_call() -> None:
    """Its preflight is refused; a browser then sends nothing more."""
    world = World(setting="https://other.example")

    with pytest.raises(ForbiddenError) as caught:
        await world.stage()("OPTIONS", PAGE, ASKING)

    assert (caught.value.code, world.passed) == ("origin_forbidden", 0)


@pytest.mark.parametrize(
    ("tokens", "is_allowed"),
    [
        ((token(PAGE),), True),
        ((token("https://other.example"), token(PAGE)), True),
        ((token(PAGE, ends=LONG_AGO),), False),
        ((token(PAGE, ends=datetime.now(UTC) + timedelta(days=1)),), True),
        ((token(),), False),
    ],
    ids=["its own", "one of two", "ended", "still working", "without origins"],
)
async def test_a_tokens_own_origins_may_call_while_it_works(tokens: tuple[TokenRecord, ...], is_allowed: bool) -> None:
    """A preflight carries no token, so any working token's origin will do; the token itself is looked at later."""
    world = World(Store(tokens))
    if not is_allowed:
        with pytest.raises(ForbiddenError):
            await world.stage()("OPTIONS", PAGE, ASKING)
        return

    assert (await world.stage()("OPTIONS", PAGE, ASKING))[0]["status"] == 204


async def test_tokens_are_looked_at_once_a_second_at_most() -> None:
    """However many preflights of strangers come, and whichever wait at the same moment."""
    world = World()
    ask = world.stage()

    refused = await asyncio.gather(*(ask("OPTIONS", PAGE, ASKING) for _ in range(9)), return_exceptions=True)
    world.now = 0.9
    with pytest.raises(ForbiddenError):
        await ask("OPTIONS", PAGE, ASKING)
    assert world.store.looks == 1

    world.store.tokens = (token(PAGE),)
    world.now = 1.1
    assert (await ask("OPTIONS", PAGE, ASKING))[0]["status"] == 204
    assert world.store.looks == 2
    assert {type(error) for error in refused} == {ForbiddenError}


async def test_a_known_page_waits_for_nothing() -> None:
    """It is answered by what is known, which is looked at anew meanwhile: an ended token's pages may call no more."""
    world = World(Store((token(PAGE),)))
    ask = world.stage()
    await ask("OPTIONS", PAGE, ASKING)
    world.store.tokens = ()
    world.now = 5.0

    assert (await ask("OPTIONS", PAGE, ASKING))[0]["status"] == 204
    while world.store.looks < 2:
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    with pytest.raises(ForbiddenError):
        await ask("OPTIONS", PAGE, ASKING)
    assert world.store.looks == 2


async def test_pages_of_the_setting_cost_no_look() -> None:
    """Nothing that a token says could change what they may."""
    world = World(setting=PAGE)
    for moment in range(5):
        world.now = moment * 10.0
        await world.stage()("OPTIONS", PAGE, ASKING)

    assert world.store.looks == 0


async def test_a_store_that_is_away_is_said_to_be() -> None:
    """Whether the page may call is not known: 503, not 403. Known pages go on."""
    world = World(Store((token(PAGE),)))
    ask = world.stage()
    await ask("OPTIONS", PAGE, ASKING)
    world.store.failure = OSError("gone")
    world.now = 5.0

    with pytest.raises(UnavailableError) as caught:
        await ask("OPTIONS", "https://new.example", ASKING)
    assert (caught.value.code, caught.value.__cause__) == ("state_away", world.store.failure)
    assert (await ask("OPTIONS", PAGE, ASKING))[0]["status"] == 204
    await ask("GET", "https://new.example")
    assert world.passed == 1


@pytest.mark.parametrize(
    ("method", "origin", "headers"),
    [("GET", "", ()), ("OPTIONS", "", (ASKING,)), ("OPTIONS", PAGE, ()), ("POST", PAGE, ()), ("DELETE", "null", ())],
)
async def test_anything_else_goes_on(method: str, origin: str, headers: tuple[tuple[bytes, bytes], ...]) -> None:
    """Who may read the answer is the browser's to decide, by its headers; who may ask is the token's."""
    world = World()

    assert await world.stage()(method, origin, *headers) == []
    assert world.passed == 1


@pytest.mark.parametrize(
    ("setting", "origin", "host", "is_passed"),
    [
        ("", "https://evil.example", b"crm.example", False),
        ("*", "https://evil.example", b"crm.example", False),
        ("", "null", b"crm.example", False),
        (PAGE, PAGE, b"crm.example", True),
        ("", "https://crm.example", b"crm.example", True),
        ("", "", b"crm.example", True),
    ],
    ids=["stranger", "stranger, any may call", "a page without origin", "named", "own page", "no browser"],
)
async def test_a_password_that_a_browser_keeps_is_of_no_use_to_other_pages(
    setting: str, origin: str, host: bytes, is_passed: bool
) -> None:
    """A form of any page posts here with what was typed into the browser's dialog; only named pages may."""
    world = World(setting=setting)
    asked = world.stage()("POST", origin, BASIC, (b"host", host))
    if is_passed:
        await asked
    else:
        with pytest.raises(ForbiddenError) as caught:
            await asked
        assert caught.value.code == "origin_forbidden"

    assert world.passed == is_passed


def caused_by(site: str, mode: str = "no-cors", dest: str = "image") -> tuple[tuple[bytes, bytes], ...]:
    """What a browser tells of a request that names no page."""
    said = {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest}
    return tuple((name.encode(), value.encode()) for name, value in said.items())


@pytest.mark.parametrize(
    ("path", "headers", "is_passed"),
    [
        ("/api/v1/graphql", (BASIC, *caused_by("cross-site")), False),
        ("/api/v1/graphql", (BASIC, *caused_by("same-site")), False),
        ("/api/v1/graphql", (BASIC, *caused_by("cross-site", "navigate", "document")), False),
        ("/api/v1/invoices", (BASIC, *caused_by("cross-site", "navigate", "document")), False),
        ("/graphiql", (BASIC, *caused_by("cross-site", "navigate", "iframe")), False),
        ("/graphiql", (BASIC, *caused_by("cross-site", "navigate", "document")), True),
        ("/api/v1/graphql", (BASIC, *caused_by("same-origin", "cors", "empty")), True),
        ("/api/v1/invoices", (BASIC, *caused_by("none", "navigate", "document")), True),
        ("/api/v1/graphql", (BASIC,), True),
        ("/api/v1/graphql", ((b"authorization", b"Bearer gw_live_x"), *caused_by("cross-site")), True),
    ],
    ids=[
        "picture",
        "picture of a neighbour",
        "form by GET",
        "link to data",
        "frame",
        "link to a page",
        "own page",
        "typed",
        "no browser",
        "a token that a script has",
    ],
)
async def test_what_a_page_of_elsewhere_asks_without_a_name_is_not_run(
    path: str, headers: tuple[tuple[bytes, bytes], ...], *, is_passed: bool
) -> None:
    """It could not read the answer, but measure how long it takes, with the rights of whoever had signed in."""
    world = World()
    try:
        await world.stage()("GET", "", *headers, path=path)
    except ForbiddenError as error:
        assert error.code == "origin_forbidden"  # noqa: PT017  # the others pass

    assert world.passed == is_passed
