"""From a principal to the `Access` that every plan carries.

Grants say what may be done, the policy takes away from it. A policy that names what the catalog does not have
never widens by that: a column that is not there is not readable, a condition that cannot be met closes its resource,
and a limit on a resource that is not there closes the token, for nobody can tell which table it was to protect.

Plans are cached per `Access` object, so `AccessBook` hands out the same one for as
long as neither the principal nor the catalog changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Literal

from gateway.catalog.model import Catalog, Column, CustomField, Table
from gateway.errors import ConfigurationError, GatewayError
from gateway.observe import Observer, PolicyUnmet
from gateway.query.access import DEFAULT_MOST_ROWS, Access, Grant, Operation
from gateway.query.coerce import Clock
from gateway.query.context import Context, Slots
from gateway.query.intent import ConditionIntent
from gateway.query.reach import row_filter
from gateway.query.suggest import nearest
from gateway.security.grants import ANY, parse_grants, resolve_grants
from gateway.security.policy import Named, Policy
from gateway.security.principal import Principal
from gateway.security.rows import parse_row_filter

MOST_KEPT: Final = 4_096

Limit = Literal["readable", "writable", "rows"]


@dataclass(frozen=True, slots=True)
class Unmet:
    """A limit that the catalog cannot hold: which one, on which resource as written, and the text in it, if it is one.

    ``effect`` is what the token loses by it.
    """

    limit: Limit
    resource: str
    text: str | None
    message: str
    effect: str
    suggestion: str | None = None

    def __str__(self) -> str:
        return f"{self.limit} of {self.resource}: {self.message}; {self.effect}"


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a principal may do on a catalog, and which limits of its policy the catalog cannot hold."""

    access: Access
    unmet: tuple[Unmet, ...] = ()


@dataclass(frozen=True, slots=True)
class _Limits:
    """The limits on one resource; None: no such limit."""

    readable: frozenset[str] | None = None
    writable: frozenset[str] | None = None
    rows: tuple[ConditionIntent, ...] = ()
    is_closed: bool = False


def build_access(principal: Principal, catalog: Catalog) -> Access:
    """Return what a principal may do with the resources of a catalog."""
    return resolve_access(principal, catalog).access


def resolve_access(principal: Principal, catalog: Catalog) -> Resolved:
    """Return what a principal may do with the resources of a catalog, and why it may do less than was meant.

    Names of grants that the catalog lacks grant nothing. The acting staff is None where the token
    names none: whoever writes then finds one.
    """
    policy = principal.policy
    granted = resolve_grants(parse_grants(principal.grants), catalog).operations
    limits, unmet = _limits_of(policy, catalog)
    is_open = all(limit.resource in catalog.resources for limit in unmet)
    access = Access(
        principal=principal.name,
        grants=_narrowed(granted, limits) if is_open else {},
        is_admin=principal.is_admin,
        most_rows=min(policy.most_rows or DEFAULT_MOST_ROWS, DEFAULT_MOST_ROWS),
        acting_staff=principal.staff_id,
    )
    return Resolved(access, unmet)


def _narrowed(granted: Mapping[str, frozenset[Operation]], limits: Mapping[str, _Limits]) -> dict[str, Grant]:
    """The grants under their limits; a limited resource that only ``*`` grants has a grant of its own then."""
    grants = {name: Grant(operations) for name, operations in granted.items()}
    for name, limit in limits.items():
        operations = granted.get(name, granted.get(ANY))
        closed: frozenset[Operation] = frozenset()
        if operations is None:  # its parent's grant is not lent to a table that the policy speaks of
            grants[name] = Grant(closed, writable=frozenset())
        else:
            grants[name] = Grant(closed if limit.is_closed else operations, limit.readable, limit.writable, limit.rows)
    return grants


def _limits_of(policy: Policy, catalog: Catalog) -> tuple[dict[str, _Limits], tuple[Unmet, ...]]:
    limits: dict[str, _Limits] = {}
    unmet: list[Unmet] = []
    for table, texts in _tables(policy.readable, "readable", catalog, unmet):
        limit = limits.get(table.resource or "", _Limits())
        names = _columns(table, texts, "readable", unmet)
        limits[table.resource or ""] = replace(limit, readable=_both(limit.readable, names))
    for table, texts in _tables(policy.writable, "writable", catalog, unmet):
        limit = limits.get(table.resource or "", _Limits())
        names = _columns(table, texts, "writable", unmet)
        limits[table.resource or ""] = replace(limit, writable=_both(limit.writable, names))
    for table, texts in _tables(policy.rows, "rows", catalog, unmet):
        limit = limits.get(table.resource or "", _Limits())
        rows, faults = _conditions(table, texts, catalog)
        unmet.extend(faults)
        is_closed = limit.is_closed or bool(faults)
        limits[table.resource or ""] = replace(limit, rows=(*limit.rows, *rows), is_closed=is_closed)
    return limits, tuple(unmet)


def _tables(named: Named, limit: Limit, catalog: Catalog, unmet: list[Unmet]) -> Iterator[tuple[Table, Sequence[str]]]:
    """The tables of limits; aliases count for the resource they stand for."""
    for resource, texts in named:
        table = catalog.resources.get(resource)
        if table is not None:
            yield table, texts
            continue
        close = nearest(resource, catalog.resources)
        hint = f", did you mean {close}?" if close else ""
        message = f"no resource is named {resource!r} now{hint}"
        unmet.append(Unmet(limit, resource, None, message, "the token may do nothing until there is one", close))


def _both(first: frozenset[str] | None, second: frozenset[str]) -> frozenset[str]:
    return second if first is None else first & second


def _columns(table: Table, texts: Sequence[str], limit: Limit, unmet: list[Unmet]) -> frozenset[str]:
    """The names as they are: one that is no column now can name none by that, nor can it later name another's."""
    known = [name for name, field in table.fields.items() if isinstance(field, Column | CustomField)]
    for text in texts:
        if text not in known:
            close = nearest(text, known)
            hint = f", did you mean {close}?" if close else ""
            message = f"{table.resource} has no column {text!r}{hint}"
            effect = "it is not readable" if limit == "readable" else "it is not writable"
            unmet.append(Unmet(limit, table.resource or "", text, message, effect, close))
    return frozenset(texts)


def _conditions(table: Table, texts: Sequence[str], catalog: Catalog) -> tuple[list[ConditionIntent], list[Unmet]]:
    """The conditions on a table's rows, each planned once to see that it can be met."""
    found: list[ConditionIntent] = []
    unmet: list[Unmet] = []
    for text in texts:
        try:
            intent = parse_row_filter(text)
            _plan(table, (intent,), catalog)
        except (ConfigurationError, GatewayError) as error:
            suggestion = error.issues[0].suggestion if error.issues else None
            effect = f"nothing is granted on {table.resource}"
            unmet.append(Unmet("rows", table.resource or "", text, f'"{text}": {error.detail}', effect, suggestion))
        else:
            found.append(intent)
    return found, unmet


def _plan(table: Table, conditions: tuple[ConditionIntent, ...], catalog: Catalog) -> None:
    grant = Grant(frozenset({"read"}), row_filter=conditions)
    access = Access("row filter", {table.resource or "": grant})
    row_filter(Context(catalog, access, Clock(datetime.now(UTC), catalog.zone), Slots()), table)


class AccessBook:
    """The `Access` of each principal for the catalog it was last asked with; one entry per token, bounded."""

    __slots__ = ("_entries", "_most", "_observer")

    def __init__(self, most: int = MOST_KEPT, observer: Observer | None = None) -> None:
        self._most = most
        self._observer = observer
        self._entries: dict[str, tuple[Principal, Catalog, Access]] = {}

    def access_of(self, principal: Principal, catalog: Catalog) -> Access:
        """Return the access, the same object as before unless principal or catalog changed."""
        entry = self._entries.get(principal.key)
        if entry is not None and entry[1] is catalog and (entry[0] is principal or _may_the_same(entry[0], principal)):
            return entry[2]
        resolved = resolve_access(principal, catalog)
        if resolved.unmet and self._observer is not None:
            self._observer(PolicyUnmet(principal.name, tuple(map(str, resolved.unmet))))
        if entry is None and len(self._entries) >= self._most:
            del self._entries[next(iter(self._entries))]
        self._entries[principal.key] = (principal, catalog, resolved.access)
        return resolved.access


def _may_the_same(one: Principal, other: Principal) -> bool:
    """Whether two principals of one key may do the same, however long: each JWT of a caller ends at another moment."""
    return (one.name, one.grants, one.is_admin, one.staff_id, one.policy) == (
        other.name,
        other.grants,
        other.is_admin,
        other.staff_id,
        other.policy,
    )
