"""The parameters of pages beside the resources: each known, each at most once."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import Scope

from gateway.errors import RequestError
from gateway.query.suggest import nearest
from gateway.rest.url import parse_query


def parameters_of(scope: Scope, known: Sequence[str]) -> dict[str, str]:
    """Return the parameters of a request by name; a repeated one with the same value is fine.

    Raises:
        RequestError: ``parameter_unknown``, ``parameter_conflict``, ``parameter_invalid`` for what is no UTF-8.
    """
    given: dict[str, str] = {}
    for pair in parse_query(scope["query_string"]):
        if pair.name not in known:
            close = nearest(pair.name, known)
            there_are = f" There are: {', '.join(known)}." if known else " This path takes none."
            hint = f" Did you mean {close}?" if close else there_are
            raise RequestError(
                "parameter_unknown",
                f"There is no parameter {pair.name!r} here.{hint}",
                parameter=pair.name,
                suggestion=close,
            )
        if given.setdefault(pair.name, pair.value) != pair.value:
            detail = f"{pair.name} is given twice with different values."
            raise RequestError("parameter_conflict", detail, parameter=pair.name)
    return given
