"""The gateway with each of its stages left out in turn, and with none: what they cost."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final

from benchmarks.shapes import NO_STAGES, STAGED
from benchmarks.sides.gateway import WHITELIST, by_key, served
from benchmarks.sides.side import Crm, HttpSide, StartSide
from benchmarks.staged import NAMES


@contextmanager
def start_staged(crm: Crm, *, name: str, without: Sequence[str]) -> Iterator[HttpSide]:
    """Yield a gateway without some stages."""
    options = [word for stage in without for word in ("--without", stage)]
    command = [sys.executable, "-m", "benchmarks.staged", *options]
    with served(crm, WHITELIST, name.replace(" ", "-"), command) as gateway:
        yield HttpSide(
            name=name,
            processes="1 (uvicorn)",
            remark=f"the gateway without {', '.join(without)}",
            origin=gateway.origin,
            pids=(gateway.pid,),
            largest_key=crm.invoices,
            works={"stages": by_key(gateway.token)},
            rows=lambda body: body["data"],
        )


STAGED_STARTS: Final[Mapping[str, StartSide]] = {
    NO_STAGES: partial(start_staged, name=NO_STAGES, without=NAMES),
    **{f"{STAGED} {stage}": partial(start_staged, name=f"{STAGED} {stage}", without=(stage,)) for stage in NAMES},
}
