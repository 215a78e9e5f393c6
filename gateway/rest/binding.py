"""What a cursor is bound to: everything that decides which rows there are and in which order.

Not the fields, embeds, page size or form of values: they may change from page to page.
Nor who asks: what a token may not see is no row of its page.
"""

from __future__ import annotations

import json
from typing import Final

from gateway.query.json_text import read_json
from gateway.rest.given import Given, stem_of
from gateway.rest.tree import DEEPEST_JSON

_DECIDING: Final = frozenset({"filter", "where", "q", "sort"})


def binding_of(path: str, given: Given) -> bytes:
    """Return the query of some well-formed parameters on a list's path, the same in whatever order they were sent."""
    deciding = {name: _form(name, value) for name, value in given.items() if stem_of(name) in _DECIDING}
    return json.dumps([path, deciding], sort_keys=True, default=str).encode()


def _form(name: str, value: object) -> object:
    """A URL's text and a body's value are alike where they mean the same."""
    if name == "where":
        return read_json(value, DEEPEST_JSON) if isinstance(value, str) else value
    if name == "sort" and isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str | list) else str(value)
