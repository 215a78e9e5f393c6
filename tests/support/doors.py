"""The doors of the REST front end at which a field's name can stand, and what of two answers may not differ.

A name that was made up knocks at the same door as one that exists: what the caller may not know of answers alike.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2

from gateway.query.operators import OPERATORS


@dataclass(frozen=True, slots=True)
class Door:
    """One way to name a field in a request; ``NAME`` stands for the name."""

    method: str
    path: str
    body: dict[str, object] | str | None = None


BODIES: tuple[dict[str, object] | str, ...] = (
    {"NAME": "x"},
    {"NAME": None},
    {"NAME": 1, "zzyzx": 2},
    {"NAME": [1]},
    "NAME=x",
    "NAME=x&NAME=y",
)


def doors(resource: str, key: str, edges: tuple[str, ...]) -> Iterator[Door]:
    """Every place of a request to a resource where a field's name can stand."""
    lists = (resource, *edges)
    for path in lists:
        for query in ("fields=NAME", "fields=*,NAME", "sort=NAME", "sort=-NAME", "filter[NAME]=1", "filter[NAME]="):
            yield Door("GET", f"{path}?{query}")
    for operator in (*OPERATORS, "nonsense"):
        for value in ("1", "abc", "a,b"):
            yield Door("GET", f"{resource}?filter[NAME.{operator}]={value}")
    for query in ("filter[NAME.x.y]=1", "filter[client.NAME]=1", "fields=client.NAME", "NAME=1", "fields[NAME]=1"):
        yield Door("GET", f"{resource}?{query}")
    yield Door("GET", f"{resource}?fields=NAME&fields=NAME")
    yield Door("HEAD", f"{resource}?fields=NAME")
    yield Door("OPTIONS", f"{resource}?fields=NAME")
    yield Door("GET", f"{resource}/{key}?fields=NAME")
    yield Door("GET", f"{resource}/{key}/NAME")
    yield Door("GET", f"{resource}/NAME")
    yield Door("GET", "NAME")
    yield Door("GET", f"NAME/{key}")
    for body in BODIES:
        yield Door("POST", resource, body)
        yield Door("PATCH", f"{resource}/{key}", body)
        yield Door("PUT", f"{resource}/{key}", body)
    yield Door("POST", f"{resource}?fields=NAME", {})
    yield Door("DELETE", f"{resource}/{key}?NAME=1")


async def knock(client: httpx2.AsyncClient, door: Door, name: str) -> httpx2.Response:
    """Send the request of a door with a name in it."""
    options: dict[str, Any] = {}
    if isinstance(door.body, str):
        options = {
            "content": door.body.replace("NAME", name),
            "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        }
    elif door.body is not None:
        options = {"json": {key.replace("NAME", name): value for key, value in door.body.items()}}
    return await client.request(door.method, f"/api/v1/{door.path.replace('NAME', name)}", **options)


_HINT = re.compile(r"( |; )(Did|did) you mean ([^?]*)\?")
_LIST = re.compile(r' There are: [^"]*\.(?=")')


def compared(answer: httpx2.Response, name: str, made_up: str, visible: set[str]) -> tuple[Any, ...]:
    """Return what may not differ: status, headers and body, without suggestions, which must be visible names."""
    text = answer.text.replace(answer.headers["x-request-id"], "ID")
    for hint in _HINT.finditer(text):
        assert hint[3] in visible, text
    body = _LIST.sub("", _HINT.sub("", re.sub(r',"suggestion":"[^"]*"', "", text))).replace(made_up, name)
    unlike = {"x-request-id", "content-length", "ratelimit", "x-ratelimit-remaining", "x-ratelimit-reset"}
    headers = sorted((key, value.replace(made_up, name)) for key, value in answer.headers.items() if key not in unlike)
    return answer.status_code, headers, body


def invented(name: str) -> str:
    """Return a name of the same length that nothing knows and that is like nothing."""
    letters = random.Random(name)
    return "".join(letters.choice("qxzjkv") for _ in name)
