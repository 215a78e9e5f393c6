"""Rates over time: who may go on at once, who waits for the store, and what answers say of it.

What comes in: a caller's key and its rate. What goes out: whether its request is let through. With a
block in hand that is a look into a dict and a subtraction; else one exchange per key runs in a thread
and everybody waits for it. More is asked for before a block is spent, so that steady callers never wait.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from hashlib import sha256
from itertools import count
from time import monotonic
from typing import Final

from gateway.errors import GatewayError, ThrottledError, UnavailableError
from gateway.observe import Event, Observer, RateStoreFound, RateStoreLost
from gateway.security.limits import Account, Ask, Grant, settle, terms_of
from gateway.security.rates import Rate
from gateway.state.leases import Leases

POLICY: Final = "default"
CLEAN_EVERY_S: Final = 300.0
MOST_LINES: Final = 10_000
"""Callers that a worker remembers; what the forgotten ones held is lost to them for a window at most."""

AWAY_PAUSE_S: Final = 0.25
"""How long nobody asks a store that has just failed, so that requests do not queue for its timeout."""

LOOK_EVERY_S: Final = 0.5
SETTLED_S: Final = 1.0
"""How long a store that was lost must not have failed before it counts as found."""

MOST_RATES: Final = 8
"""Rates of one caller, as its JWTs may name them, that a worker counts side by side."""

_THREADS: Final = 4
_PLAIN: Final = re.compile(r"[a-z0-9:]{1,64}")

RawHeaders = list[tuple[bytes, bytes]]


class Limiter:
    """The rates of all callers of one worker."""

    def __init__(
        self,
        leases: Leases,
        default: Rate | None,
        *,
        now: Callable[[], float] = monotonic,
        most: int = MOST_LINES,
        observer: Observer | None = None,
    ) -> None:
        self.default = default
        self.now = now
        self._leases = leases
        self._most = most
        self._lines: dict[str, Line] = {}
        self._worker = secrets.token_hex(5)
        self._numbers = count(1)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="leases")
        self._tasks: set[asyncio.Task[Grant]] = set()
        self.refills = 0
        self._away_until = 0.0
        self._cause: BaseException | None = None
        self._observer = observer
        self._lost_at: float | None = None
        self._failed_at = 0.0
        self._looking: asyncio.Task[None] | None = None
        self._cleaning: asyncio.Task[None] | None = None

    @property
    def is_away(self) -> bool:
        """Whether the store failed, and has not answered again for a while."""
        return self._lost_at is not None

    def line(self, key: str, rate: Rate) -> Line:
        """Return where the requests of a caller are counted; each of its rates has a line of its own."""
        line = self._lines.get(key)
        if line is None or (line.rate is not rate and line.rate != rate):
            line = self._lines[key] = self._other_line(key, rate, line)
        return line

    def _other_line(self, key: str, rate: Rate, latest: Line | None) -> Line:
        """The line of another rate than the caller's latest.

        A caller may come with several by turns: the block in hand of each must not be lost, for it counts as spent.
        """
        if latest is None and len(self._lines) >= self._most:
            self._forget()
        family = [] if latest is None else latest.family
        line = next((other for other in family if other.rate == rate), None)
        if line is None:
            if len(family) >= MOST_RATES:
                now = self.now()
                family.remove(next((other for other in family if other.is_idle(now)), family[0]))
            line = Line(self, key, rate, f"{self._worker}.{next(self._numbers)}", family)
            family.append(line)
        return line

    def exchange(self, scope: str, account: Account, waiting: int) -> asyncio.Task[Grant]:
        """Begin to tell and ask the store, in a thread, and return the task of it.

        Raises:
            UnavailableError: ``state_away``, where it failed a moment ago.
        """
        now = self.now()
        if now < self._away_until:
            raise self.away()
        self.refills += 1
        task = asyncio.create_task(self._exchange(scope, account, account.ask(now, waiting)))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def _exchange(self, scope: str, account: Account, ask: Ask) -> Grant:
        change = partial(settle, terms=account.terms, ask=ask)
        loop = asyncio.get_running_loop()
        grant: Grant = await loop.run_in_executor(self._threads, self._leases.change, scope, change)
        account.receive(ask, grant, self.now())
        return grant

    def _ended(self, task: asyncio.Task[Grant]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._away_until = self.now() + AWAY_PAUSE_S
            self._failed(error)
        elif self._lost_at is not None and not task.cancelled():
            self._worked()

    def _failed(self, error: BaseException) -> None:
        self._cause = error
        self._failed_at = self.now()
        if self._lost_at is None:
            self._lost_at = self._failed_at
            self._say(RateStoreLost(str(error)))

    def _worked(self) -> None:
        """Take the store for found, unless it failed a moment ago: a full one takes this and refuses that."""
        now = self.now()
        if self._lost_at is not None and now - self._failed_at >= SETTLED_S:
            seconds, self._lost_at = now - self._lost_at, None
            self._say(RateStoreFound(seconds))

    def _say(self, event: Event) -> None:
        if self._observer is not None:
            self._observer(event)

    def away(self) -> GatewayError:
        """Return the refusal of a request that the store would have had to be asked about, with what it failed of."""
        error = UnavailableError(
            "state_away",
            "The store that counts requests did not answer, so the token's rate cannot be kept to; nothing was done. "
            "Try again in a moment.",
            headers={"Retry-After": "1"},
        )
        error.__cause__ = self._cause
        return error

    def _forget(self) -> None:
        """Make room: whoever has nothing in hand is forgotten first, then whoever came first."""
        now = self.now()
        for key in [key for key, line in self._lines.items() if all(other.is_idle(now) for other in line.family)]:
            del self._lines[key]
        for key in list(self._lines)[: max(0, len(self._lines) - self._most + 1)]:
            del self._lines[key]

    def start(self) -> None:
        """Begin to look after a store that is away, and to remove old ledgers from time to time."""
        self._looking = asyncio.create_task(self._look_on())
        self._cleaning = asyncio.create_task(self._clean_on())

    async def stop(self) -> None:
        """Let exchanges end that have begun; stop cleaning."""
        for task in (self._looking, self._cleaning):
            if task is not None:
                task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._threads.shutdown(wait=False)
        self._leases.close()

    async def _look_on(self) -> None:
        """Ask the store at the start, and while it is away: requests may have been sent elsewhere for it."""
        is_due = self.default is not None
        while True:
            if is_due:
                await self.look()
            await asyncio.sleep(LOOK_EVERY_S)
            is_due = self.is_away

    async def look(self) -> None:
        """Make an exchange that counts for nobody, and note whether it went well."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._leases.change, "look", _look)
        except GatewayError as error:
            self._failed(error)
        else:
            self._worked()

    async def _clean_on(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(CLEAN_EVERY_S)
            with suppress(GatewayError):  # a store that is busy or away is cleaned later
                await loop.run_in_executor(self._threads, self._leases.clean)


def _look(text: str, now_ms: int) -> tuple[str, int, None]:
    """A change that writes, whose ledger counts for nothing any more a moment later."""
    return "{}", now_ms, None


class Line:
    """One caller's requests of one rate at this worker; ``family`` are its lines of all rates, this one too."""

    __slots__ = ("_account", "_limit", "_limiter", "_now", "_policy", "_scope", "_task", "_waiting", "family", "rate")

    def __init__(self, limiter: Limiter, key: str, rate: Rate, holder: str, family: list[Line]) -> None:
        self.rate = rate
        self.family = family
        self._limiter = limiter
        self._now = limiter.now
        self._scope = scope_of(key)
        self._account = Account(terms_of(rate), holder)
        self._task: asyncio.Task[Grant] | None = None
        self._waiting = 0
        self._policy = (b"ratelimit-policy", b'"%s";q=%d;w=%d' % (POLICY.encode(), rate.limit, rate.window_s))
        self._limit = (b"x-ratelimit-limit", b"%d" % rate.limit)

    def take(self) -> bool:
        """Let a request through with what is in hand, or return False: then `wait`."""
        taken = self._account.spend(self._now())
        if taken == 0:
            return False
        if taken > 1 and self._task is None:
            with suppress(GatewayError):  # whoever cannot go on without the store says so
                self._begin()
        return True

    async def wait(self) -> bool:
        """Let a request through as soon as the store has granted more, or return False: the rate is exhausted.

        Raises:
            UnavailableError: ``state_away``.
        """
        account = self._account
        self._waiting += 1
        try:
            while not account.is_closed(self._now()):
                task = self._task or self._begin()
                await asyncio.wait((task,))  # whoever stops waiting stops nothing for the others
                if task.cancelled() or task.exception() is not None:
                    raise self._limiter.away()
                if account.take(self._now()):
                    return True
        finally:
            self._waiting -= 1
        return False

    def _begin(self) -> asyncio.Task[Grant]:
        self._task = self._limiter.exchange(self._scope, self._account, self._waiting)
        self._task.add_done_callback(self._ended)
        return self._task

    def _ended(self, task: asyncio.Task[Grant]) -> None:
        self._task = None

    def is_idle(self, now: float) -> bool:
        """Whether nothing is lost when the line is forgotten."""
        return self._task is None and self._account.is_idle(now)

    def headers(self) -> RawHeaders:
        """Return what an answer says of the rate, as far as this worker knows."""
        counted, wait_s = self._account.standing(self._now())
        remaining, reset = b"%d" % counted, b"%d" % wait_s
        return [
            self._policy,
            (b"ratelimit", b'"default";r=%b;t=%b' % (remaining, reset)),
            self._limit,
            (b"x-ratelimit-remaining", remaining),
            (b"x-ratelimit-reset", reset),
        ]

    def refusal(self) -> ThrottledError:
        """Return the answer of a request that the rate has no room for."""
        _, wait_s = self._account.standing(self._now())
        return ThrottledError(
            "rate_exceeded",
            f"The token made the {self.rate.limit} requests that it may make in {self.rate.window_s} seconds. "
            f"Try again in {wait_s} s.",
            headers={"Retry-After": str(wait_s)},
            violated=(POLICY,),
        )


def scope_of(key: str) -> str:
    """Return the name under which a caller's ledger is kept: its key, or a digest of one that a store might mix up.

    >>> scope_of("token:12"), len(scope_of("jwt:Alice"))
    ('token:12', 64)
    """
    return key if _PLAIN.fullmatch(key) else sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
