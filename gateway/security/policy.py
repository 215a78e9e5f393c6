"""What narrows a token beyond its grants: columns, rows, addresses, origins, page size, rate, signatures.

What comes in: JSON text as the state store keeps it, or what an administrator gave. What
goes out: a frozen `Policy`. Names are checked against no catalog here: `security.access` does that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.security.rates import Rate, parse_rate

Named = tuple[tuple[str, tuple[str, ...]], ...]
"""Texts by resource, in the order given; a tuple, so that policies can be compared and hashed."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The limits of one token; each only ever takes away.

    ``readable`` and ``writable`` are column names by resource (none named: all visible ones), ``rows``
    conditions by resource that all hold (``clientid=12``, ``invoice.clientid=12``, ``total.gte=1000``).
    ``addresses`` are networks (CIDR), ``origins`` what a browser says it comes from; empty means any.
    ``most_rows`` caps pages; ``rate`` None is the setting's. ``is_signed`` asks for a signature on each request.
    ``lineage`` limits nothing: it is the random mark of a token and of those that replace it by rotation.
    """

    readable: Named = ()
    writable: Named = ()
    rows: Named = ()
    addresses: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    most_rows: int | None = None
    rate: Rate | None = None
    is_signed: bool = False
    lineage: str = ""


NO_POLICY: Final = Policy()


def policy_text(policy: Policy) -> str:
    """Return a policy as the JSON text that the state store keeps; `parse_policy` reads it back."""
    given: dict[str, Any] = {
        "readable": dict(policy.readable),
        "writable": dict(policy.writable),
        "rows": dict(policy.rows),
        "addresses": policy.addresses,
        "origins": policy.origins,
        "most_rows": policy.most_rows,
        "rate": str(policy.rate) if policy.rate else None,
        "is_signed": policy.is_signed,
        "lineage": policy.lineage,
    }
    return json.dumps({name: value for name, value in given.items() if value}, ensure_ascii=False)


def parse_policy(text: str) -> Policy:
    """Return the policy of a stored text."""
    given = json.loads(text)
    return Policy(
        _named(given.get("readable", {})),
        _named(given.get("writable", {})),
        _named(given.get("rows", {})),
        tuple(given.get("addresses", ())),
        tuple(given.get("origins", ())),
        given.get("most_rows"),
        parse_rate(given["rate"]) if given.get("rate") else None,
        bool(given.get("is_signed", False)),
        given.get("lineage", ""),
    )


def _named(given: Mapping[str, Any]) -> Named:
    return tuple((name, tuple(texts)) for name, texts in given.items())
