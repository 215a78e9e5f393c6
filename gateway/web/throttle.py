"""How often one address may come to this worker, before anything else is known of it.

What comes in: addresses. What goes out: how long each has to wait. A burst of the whole limit may
come at once, after that one request per ``window / limit`` (GCRA). The table is bounded: of more
addresses than it holds the ones that have been away longest are forgotten.

Source: ITU-T I.371, "Generic Cell Rate Algorithm", as a virtual schedule.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv6Address
from time import monotonic
from typing import Final

from gateway.errors import ConfigurationError
from gateway.security.rates import Rate, parse_rate
from gateway.settings import PREFIX, Settings

MOST_ADDRESSES: Final = 50_000


class Throttle:
    """Counts what addresses do; without a rate nobody ever waits. IPv6 addresses count by their /64."""

    __slots__ = ("_due", "_half", "_networks", "_now", "_older", "_step_s", "_window_s")

    def __init__(self, rate: Rate | None, *, most: int = MOST_ADDRESSES, now: Callable[[], float] = monotonic) -> None:
        self._step_s = rate.window_s / rate.limit if rate is not None else 0.0
        self._window_s = float(rate.window_s) if rate is not None else 0.0
        self._half = max(1, most // 2)
        self._now = now
        self._due: dict[str, float] = {}
        """When all that an address did would have been done at an even pace; those seen lately."""
        self._older: dict[str, float] = {}
        self._networks: dict[str, str] = {}

    def allow(self, address: str) -> float:
        """Return 0.0 and count the request, or how many seconds the address has to wait."""
        if ":" in address:
            address = self._network(address)
        due = self._due.get(address)
        now = self._now()
        if due is None:
            due = self._older.get(address, now)
        due = max(due, now)
        due += self._step_s
        wait = due - now - self._window_s
        if wait > 1e-9:  # a sum of steps is the window but for rounding
            return wait
        self._note(address, due)
        return 0.0

    def peek(self, address: str) -> float:
        """Return how many seconds the address has to wait, and count nothing."""
        address, due = self._standing(address)
        wait = due + self._step_s - self._now() - self._window_s
        return wait if wait > 1e-9 else 0.0

    def charge(self, address: str) -> None:
        """Count what an address did, also beyond its rate, as far as one window."""
        address, due = self._standing(address)
        self._note(address, min(due + self._step_s, self._now() + self._window_s))

    def __len__(self) -> int:
        """How many addresses are remembered, at most."""
        return len(self._due) + len(self._older)

    def _standing(self, address: str) -> tuple[str, float]:
        if ":" in address:
            address = self._network(address)
        now = self._now()
        due = self._due.get(address)
        return address, max(self._older.get(address, now) if due is None else due, now)

    def _note(self, address: str, due: float) -> None:
        """Remember an address among those seen lately; when these are many, the ones before them are forgotten."""
        self._due[address] = due
        if len(self._due) > self._half:
            self._older, self._due = self._due, {}

    def _network(self, address: str) -> str:
        """The first half of an IPv6 address: its other half is for its user to choose."""
        found = self._networks.get(address)
        if found is None:
            if len(self._networks) >= self._half:
                self._networks.clear()
            found = self._networks[address] = _network_of(address)
        return found


def rate_of(settings: Settings, name: str) -> Rate | None:
    """Return the rate that a setting names, None for none.

    Raises:
        ConfigurationError: it is no rate; the message names the setting.
    """
    try:
        return parse_rate(getattr(settings, name))
    except ConfigurationError as error:
        raise ConfigurationError(f"{PREFIX}{name.upper()}: {error.detail}") from error


def _network_of(address: str) -> str:
    try:
        return f"{IPv6Address(address).packed[:8].hex()}/64"
    except ValueError:
        return address
