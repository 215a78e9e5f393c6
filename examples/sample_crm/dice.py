"""A reproducible source of chance: one stream per area, so that a change in one area leaves the others' rows alone.

Only ``random()`` and ``getrandbits()`` of the standard generator are used: their sequences are promised to stay
the same between Python versions, which those of ``choice`` and ``randrange`` are not.
"""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_PHPASS_ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Dice:
    """A stream of random choices that depends on nothing but its seed text."""

    __slots__ = ("_bits", "random")

    def __init__(self, seed: str) -> None:
        source = random.Random(seed)
        self.random = source.random
        self._bits = source.getrandbits

    def below(self, limit: int) -> int:
        """Return an integer from 0 to ``limit`` - 1."""
        return int(self.random() * limit)

    def between(self, low: int, high: int) -> int:
        """Return an integer from ``low`` to ``high``, both possible."""
        return low + int(self.random() * (high - low + 1))

    def chance(self, share: float) -> bool:
        """Return True in ``share`` of the calls."""
        return self.random() < share

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options, each as likely as the others."""
        return options[int(self.random() * len(options))]

    def some(self, options: Sequence[T], count: int) -> list[T]:
        """Return up to ``count`` different options in a random order."""
        pool = list(options)
        return [pool.pop(int(self.random() * len(pool))) for _ in range(min(count, len(pool)))]

    def hex32(self) -> str:
        """Return 32 lower-case hexadecimal characters."""
        return f"{self._bits(128):032x}"

    def office_second(self) -> int:
        """Return a second of the day between 08:00 and 18:00."""
        return 28800 + int(self.random() * 36000)

    def password_hash(self) -> str:
        """Return text in the form of a phpass hash that no password produces on purpose."""
        return "$2a$08$" + "".join(self.pick(_PHPASS_ALPHABET) for _ in range(53))

    def address(self) -> str:
        """Return an IPv4 address from the ranges reserved for documentation (RFC 5737)."""
        return f"{self.pick(('192.0.2', '198.51.100', '203.0.113'))}.{self.between(1, 254)}"
