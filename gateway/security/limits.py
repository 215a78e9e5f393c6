"""How a rate is kept to without asking for each request: blocks of requests are leased beforehand.

What comes in: the ledger of one token as the shared store keeps it (a text that nothing else reads),
the store's clock, and what a worker asks for. What goes out: the ledger after it, and the grant. Both
sides are pure: `settle` is the store's, `Account` a worker's; who carries messages between them, and
how, is not decided here.

The promise is that in any ``window_s`` seconds at most ``limit`` requests are let through. It holds
because whatever may be spent is debited before it is:

- A block leased at ``t`` may be spent until ``t + life`` and counts, until its worker tells more, as if
  all of it were spent at ``t + life``. A worker measures its life by its own clock from before it asked,
  so that no delay makes it longer.
- At its next exchange the worker tells how much it has spent and when it did so last; that much then
  counts from there, and what is left goes over into the next block or back.
- What was spent at ``s`` counts until ``s + window``, rounded up to the end of a bucket, and a little
  longer, so that clocks that are slewed (by 0.05 % at most) change nothing.
- A message that comes twice, late or never only makes more count than was spent.

At each exchange everything that counts is at most ``limit`` after it, and whatever is spent later was
counted at the last one before. A lone caller at full pace loses half a bucket (0.8 % of the window) and
what its worker holds unspent, a share that becomes smaller the less is left.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final

from gateway.security.rates import Rate

BUCKETS: Final = 64
"""Parts of a window whose requests are kept as one number."""

MOST_LIFE_MS: Final = 5_000
BLOCKS: Final = 20
"""The share of a limit that one worker holds at most: one in so many."""

HORIZON_S: Final = 0.5
"""For how long a block should do at the present pace."""

_GROWTH: Final = 8
_LEAST_SHARE: Final = 512
_FOLDED_AFTER: Final = 5
"""Lives after which a block that nobody told more of counts as spent."""
_STANDSTILL_MS: Final = 10_000
_MOST_CLOSED_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Terms:
    """A rate in the units of a ledger. ``most`` and ``least`` are the bounds of what one worker holds."""

    limit: int
    window_ms: int
    bucket_ms: int
    slack_ms: int
    life_ms: int
    most: int
    least: int


def terms_of(rate: Rate) -> Terms:
    """Return the terms of a rate.

    >>> terms_of(Rate(6000, 60))
    Terms(limit=6000, window_ms=60000, bucket_ms=937, slack_ms=120, life_ms=5000, most=300, least=11)
    """
    window_ms = rate.window_s * 1_000
    return Terms(
        rate.limit,
        window_ms,
        window_ms // BUCKETS,
        window_ms // 500,
        min(window_ms // 10, MOST_LIFE_MS),
        max(1, rate.limit // BLOCKS),
        max(1, rate.limit // _LEAST_SHARE),
    )


@dataclass(frozen=True, slots=True)
class Ask:
    """What a worker tells and asks for: ``spent`` since its last grant, the last ``age_ms`` ago.

    ``held`` it still has and may spend meanwhile; ``wanted`` is what it would like to hold in all.
    """

    holder: str
    spent: int
    age_ms: int
    held: int
    wanted: int


@dataclass(frozen=True, slots=True)
class Grant:
    """What a worker may spend besides what it held.

    ``rest`` is what was left for others; ``reset_ms`` how long it takes until something counts no more.
    """

    extra: int
    rest: int
    reset_ms: int


@dataclass(slots=True)
class Ledger:
    """What counts against one token's rate, by the store's clock in milliseconds.

    ``at`` is the latest moment anybody wrote. ``spent`` has amounts by the moment they count as spent at,
    ``held`` the moment and amount of each worker's block.
    """

    at: int = 0
    spent: dict[int, int] = field(default_factory=dict)
    held: dict[str, tuple[int, int]] = field(default_factory=dict)

    def total(self) -> int:
        """Return all that counts."""
        return sum(self.spent.values()) + sum(amount for _, amount in self.held.values())


def settle(text: str, now_ms: int, terms: Terms, ask: Ask) -> tuple[str, int, Grant]:
    """Return a ledger's text after an exchange, the moment from which nothing in it counts, and the grant.

    An empty text is a ledger nobody wrote yet. ``now_ms`` may be of any moment between the asking and the writing.
    """
    ledger = _read(text)
    now = _move(ledger, now_ms)
    _forget(ledger, now, terms)
    known = ledger.held.pop(ask.holder, None)
    if known is not None and ask.spent:  # else it counts as spent already, or counts no more
        _add(ledger, now - ask.age_ms, ask.spent, terms)
    left = max(0, terms.limit - ledger.total() - ask.held)
    extra = _share(ledger, now, terms, ask, left)
    if ask.held + extra:
        ledger.held[ask.holder] = (now, ask.held + extra)
    ends = _ends(ledger, terms)
    reset_ms = max(0, min(ends) - now) if ends else 0
    return _written(ledger), max(ends, default=now), Grant(extra, left - extra, reset_ms)


def _move(ledger: Ledger, now_ms: int) -> int:
    """Bring a ledger to the present and return it: time that seems to go back stands still.

    It seems so where two askers read the clock in one order and took the lock in the other. A clock that
    was really set back takes the ledger with it; everything in it is at least as old as it says.
    """
    back = ledger.at - now_ms
    if back > _STANDSTILL_MS:
        ledger.spent = {moment - back: amount for moment, amount in ledger.spent.items()}
        ledger.held = {holder: (at - back, amount) for holder, (at, amount) in ledger.held.items()}
        ledger.at = now_ms
    else:
        ledger.at = max(ledger.at, now_ms)
    return ledger.at


def _forget(ledger: Ledger, now: int, terms: Terms) -> None:
    """Drop what counts no more; the block of a worker that was not heard of for long counts as spent."""
    for holder, (at, amount) in list(ledger.held.items()):
        if now >= at + terms.life_ms * _FOLDED_AFTER:
            del ledger.held[holder]
            _add(ledger, at + terms.life_ms, amount, terms)
    long = terms.window_ms + terms.slack_ms
    ledger.spent = {moment: amount for moment, amount in ledger.spent.items() if now < moment + long}


def _add(ledger: Ledger, moment: int, amount: int, terms: Terms) -> None:
    bucket = terms.bucket_ms
    end = -(-moment // bucket) * bucket
    ledger.spent[end] = ledger.spent.get(end, 0) + amount


def _share(ledger: Ledger, now: int, terms: Terms, ask: Ask, left: int) -> int:
    """What of the rest a worker gets: a part that leaves as much to each other one at work, and to what may come."""
    if left < 1:
        return 0
    others = sum(now < at + terms.life_ms for at, _ in ledger.held.values())
    fair = max(1, left // (others + 2))
    return max(0, min(ask.wanted, terms.most, ask.held + fair) - ask.held)


def _ends(ledger: Ledger, terms: Terms) -> list[int]:
    long = terms.window_ms + terms.slack_ms
    ends = [moment + long for moment in ledger.spent]
    ends += [at + terms.life_ms + long for at, _ in ledger.held.values()]
    return ends


def _read(text: str) -> Ledger:
    if not text:
        return Ledger()
    at, spent, held = json.loads(text)
    return Ledger(at, dict(spent), {holder: (moment, amount) for holder, moment, amount in held})


def _written(ledger: Ledger) -> str:
    held = [(holder, at, amount) for holder, (at, amount) in ledger.held.items()]
    return json.dumps([ledger.at, sorted(ledger.spent.items()), held], separators=(",", ":"))


class Account:
    """One worker's side of one token's rate: the block in hand, and what was heard of the rest.

    Moments are seconds of the worker's own clock, which only goes forward. ``holder`` is nobody else's,
    not even that of an account of the same token before it.
    """

    __slots__ = (
        "_asked_at",
        "_block",
        "_closed_until",
        "_granted",
        "_last",
        "_life_s",
        "_low",
        "_renew_s",
        "_reset_at",
        "_rest",
        "_until",
        "_window_s",
        "holder",
        "left",
        "terms",
    )

    def __init__(self, terms: Terms, holder: str) -> None:
        self.terms = terms
        self.holder = holder
        self.left = 0
        self._window_s = terms.window_ms // 1_000
        self._life_s = terms.life_ms / 1_000
        self._renew_s = 0.75 * self._life_s
        self._granted = 0
        self._until = self._closed_until = self._last = self._reset_at = 0.0
        self._asked_at = float("-inf")
        self._rest = 0
        self._block = 0
        self._low = 0

    def take(self, now: float) -> bool:
        """Let one request through, or return False: then the store has to be asked."""
        if self.left > 0 and now < self._until:
            self.left -= 1
            self._last = now
            return True
        return False

    def spend(self, now: float) -> int:
        """Let one request through and return 1, or 2 where `is_low` says so too; return 0 for False of `take`."""
        if self.left <= 0 or now >= self._until:
            return 0
        self.left -= 1
        self._last = now
        if self.left > self._low and now - self._asked_at <= self._renew_s:
            return 1
        return 2 if self.is_low(now) else 1

    def is_low(self, now: float) -> bool:
        """Whether more should be asked for already: half is spent in half of the time, or that is nearly over."""
        passed = now - self._asked_at
        return passed > self._renew_s or (self.left <= self._low and passed < 0.5 * self._life_s)

    def is_closed(self, now: float) -> bool:
        """Whether the store had nothing left a moment ago, so that asking again is in vain."""
        return now < self._closed_until

    def is_idle(self, now: float) -> bool:
        """Whether nothing is lost when the account is forgotten."""
        return now >= self._until and now >= self._closed_until

    def ask(self, now: float, waiting: int = 0) -> Ask:
        """Return what to tell and ask the store now; ``waiting`` requests cannot go on without."""
        spent = self._granted - self.left
        if now >= self._until:  # its time is over: it is given back
            self._granted, self.left = spent, 0
        pace = spent / max(now - self._asked_at, 1e-3)
        wanted = min(int(pace * HORIZON_S) + 1, max(1, self._block) * _GROWTH)
        self._block = min(max(wanted, waiting, self.terms.least), self.terms.most)
        self._asked_at = now
        age_ms = int((now - self._last) * 1_000) if spent else 0
        return Ask(self.holder, spent, age_ms, self.left, self._block)

    def receive(self, ask: Ask, grant: Grant, now: float) -> None:
        """Take a grant; its time runs from when it was asked for, not from when it came."""
        self._granted += grant.extra - ask.spent
        self.left += grant.extra
        self._until = self._asked_at + self._life_s
        self._rest = grant.rest
        self._reset_at = now + grant.reset_ms / 1_000
        self._low = (ask.held + grant.extra) // 2
        if ask.held + grant.extra == 0:
            self._closed_until = now + min(grant.reset_ms / 1_000, self._life_s / 4, _MOST_CLOSED_S)

    def standing(self, now: float) -> tuple[int, int]:
        """Return how many more requests there are, and in how many whole seconds, 1 at least, more will be.

        The first is what the store had left when it was last asked, and what is in hand. Once it is nothing, the
        second is when a request may go through at the earliest; till then it is at most the window.
        """
        remaining = self._rest + (self.left if now < self._until else 0)
        reset_s = max(1, -int((now - self._reset_at) // 1))
        return remaining, min(reset_s, self._window_s) if remaining else reset_s
