"""The outermost recorder: an exchange for every request, and the headers of every answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.security.policy import Policy
from gateway.security.principal import Principal
from gateway.settings import Settings
from gateway.web.exchange import Exchange, exchange_of
from gateway.web.origins import EXPOSED, Origins
from gateway.web.proxies import Proxies
from gateway.web.stages.headers import PAGE_HEADERS, SECURITY_HEADERS, Headers

Pairs = Iterable[tuple[bytes, bytes]]

PAGE = "https://app.example"


def recorder(app: ASGIApp, **settings: Any) -> Headers:
    """Return the recorder around an application, with some settings."""
    chosen = Settings(**settings)
    return Headers(app, chosen, Proxies(chosen.trusted_proxies), Origins(chosen.cors_origins, tuple))


async def ask(app: ASGIApp, *headers: tuple[bytes, bytes], scheme: str = "http", **settings: Any) -> list[Message]:
    """Return what was sent when a request passes the recorder to ``app``."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("no body is read here")

    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/x",
        "scheme": scheme,
        "client": ("192.0.2.7", 1),
        "headers": list(headers),
    }
    await recorder(app, **settings)(scope, receive, send)
    return sent


def answering(*headers: tuple[bytes, bytes], principal: Principal | None = None) -> ASGIApp:
    """Return an application that answers 200 with some headers, to a principal."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        exchange_of(scope).principal = principal
        await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
        await send({"type": "http.response.body", "body": b"{}"})

    return app


def values(sent: list[Message], name: bytes) -> list[bytes]:
    return [value for found, value in sent[0]["headers"] if found == name]


def principal(*origins: str) -> Principal:
    return Principal("token:1", "one", ("*:*",), policy=Policy(origins=origins))


@pytest.mark.parametrize(
    "own",
    [
        (),
        ((b"cache-control", b"private"),),
        ((b"vary", b"Accept"), (b"content-type", b"text/csv")),
        ((b"content-security-policy", b"default-src 'self'"), (b"content-type", b"text/html")),
    ],
    ids=["nothing", "how a row is cached", "what it varies with", "a page's policy"],
)
async def test_every_answer_carries_each_security_header_once(own: Pairs) -> None:
    """What an answer says itself stands; whatever it leaves out is added."""
    sent = await ask(answering(*own))

    for name, value in SECURITY_HEADERS:
        assert values(sent, name) == [dict(own).get(name, value)]


async def test_pages_carry_what_is_of_use_to_pages_only() -> None:
    """A page is known by the policy that it says itself: without one, nothing of it would run or show."""
    page = await ask(answering((b"content-security-policy", b"default-src 'self'")))
    data = await ask(answering((b"content-type", b"application/json")))

    for name, value in PAGE_HEADERS:
        assert (values(page, name), values(data, name)) == ([value], [])


@pytest.mark.parametrize(
    ("scheme", "settings", "due"),
    [
        ("https", {}, [b"max-age=31536000"]),
        ("https", {"hsts_s": 300}, [b"max-age=300"]),
        ("https", {"hsts_s": 0}, []),
        ("http", {}, []),
    ],
)
async def test_strict_transport_security_is_sent_behind_tls_alone(
    scheme: str, settings: dict[str, Any], due: list[bytes]
) -> None:
    """Over plain HTTP anybody could have written it (RFC 6797, section 7.2)."""
    assert values(await ask(answering(), scheme=scheme, **settings), b"strict-transport-security") == due


@pytest.mark.parametrize(("trusted", "is_secure"), [("192.0.2.0/24", True), ("", False)])
async def test_tls_that_ends_at_a_trusted_proxy_counts(trusted: str, is_secure: bool) -> None:
    """What anybody else says of it changes nothing."""
    seen: list[Exchange] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(exchange_of(scope))
        await answering()(scope, receive, send)

    forwarded = ((b"x-forwarded-proto", b"https"), (b"x-forwarded-for", b"198.51.100.9"))
    sent = await ask(app, *forwarded, trusted_proxies=trusted)

    assert bool(values(sent, b"strict-transport-security")) is is_secure
    assert seen[0].address == ("198.51.100.9" if is_secure else "192.0.2.7")


async def test_request_ids_of_a_worker_differ() -> None:
    """Each is new, unless the client brought one."""
    ids: set[bytes] = set()
    one = recorder(answering())
    for _ in range(3):

        async def send(message: Message) -> None:
            ids.update(value for name, value in message.get("headers", []) if name == b"x-request-id")

        scope = {"type": "http", "method": "GET", "path": "/x", "scheme": "http", "headers": []}
        await one(scope, None, send)  # type: ignore[arg-type]  # no body is read

    assert len(ids) == 3


@pytest.mark.parametrize(
    ("given", "is_kept"), [(b"abc-1.2_3", True), (b"a b", False), (b"x" * 65, False), (b"", False), (b"a\n", False)]
)
async def test_a_clients_request_id_is_kept_when_it_is_a_plain_word(given: bytes, is_kept: bool) -> None:
    """Anything else could be used to write into logs."""
    (said,) = values(await ask(answering(), (b"x-request-id", given)), b"x-request-id")

    assert (said == given) is is_kept


async def test_what_stages_want_said_is_said_whatever_the_answer_is() -> None:
    """The state of a rate stands on refusals too."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        exchange_of(scope).answer_headers = [(b"ratelimit", b'"default";r=0;t=9')]
        await answering()(scope, receive, send)

    assert values(await ask(app), b"ratelimit") == [b'"default";r=0;t=9']


@pytest.mark.parametrize("is_timed", [True, False])
async def test_the_time_a_request_took_is_sent_where_it_is_asked_for(is_timed: bool) -> None:
    """GATEWAY_SERVER_TIMING."""
    timings = values(await ask(answering(), server_timing=is_timed), b"server-timing")

    assert len(timings) == is_timed
    assert all(b"total;dur=" in value for value in timings)


@pytest.mark.parametrize(
    ("origins", "asking", "due"),
    [
        (PAGE, None, [PAGE.encode()]),
        (PAGE, principal(), [PAGE.encode()]),
        ("*", None, [b"*"]),
        ("*", principal(), [b"*"]),
        ("*", principal(PAGE), [PAGE.encode()]),
        ("", principal(PAGE), [PAGE.encode()]),
        ("", principal(), []),
        ("", None, []),
        (PAGE, principal("https://other.example"), []),
        ("*", principal("https://other.example"), []),
    ],
)
async def test_an_answer_names_the_page_that_may_read_it(
    origins: str, asking: Principal | None, due: list[bytes]
) -> None:
    """A token's own origins narrow those of the setting; they hold for no other token."""
    sent = await ask(answering(principal=asking), (b"origin", PAGE.encode()), cors_origins=origins)

    assert values(sent, b"access-control-allow-origin") == due
    exposed = [", ".join(EXPOSED).encode()] if due else []
    assert values(sent, b"access-control-expose-headers") == exposed
    assert values(sent, b"access-control-allow-credentials") == []


async def test_a_request_from_no_page_gets_nothing_of_pages() -> None:
    """Programs send no Origin; caches still learn that the answer depends on it."""
    sent = await ask(answering(), cors_origins="*")

    assert values(sent, b"access-control-allow-origin") == []
    assert b"Origin" in values(sent, b"vary")[0]


async def test_two_origins_are_none() -> None:
    """No browser sends two; neither is picked."""
    sent = await ask(answering(), (b"origin", PAGE.encode()), (b"origin", PAGE.encode()), cors_origins=PAGE)

    assert values(sent, b"access-control-allow-origin") == []
