"""A token as an administrator asks for it: every field read, every wrong one named.

What comes in: a mapping of field names to JSON values, from the body of a request or from the options of
a command, so that both are read alike. What goes out: a `Wanted`, or one error that lists each fault with
a pointer. Nothing is held against a catalog here: `security.access` does that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeVar

from gateway.errors import ConfigurationError, Issue, ValidationError
from gateway.query.access import DEFAULT_MOST_ROWS
from gateway.query.suggest import nearest
from gateway.security.grants import ANY, parse_grants
from gateway.security.networks import parse_network, parse_origin
from gateway.security.policy import NO_POLICY, Named, Policy, policy_text
from gateway.security.rates import Rate, parse_rate
from gateway.security.rows import MOST_CONDITIONS, parse_row_filter
from gateway.security.spans import moment_of

POLICY_FIELDS: Final = (
    "readable",
    "writable",
    "rows",
    "addresses",
    "origins",
    "most_rows",
    "rate",
    "is_signed",
)
FIELDS: Final = ("name", "grants", "is_admin", "staff_id", "expires_at", *POLICY_FIELDS)
MOST_NAME: Final = 100
MOST_TEXTS: Final = 1_000
"""Entries that one list may have."""

MOST_STORED_BYTES: Final = 60_000
"""Bytes that the grants, and the limits, of one token may have as text: a column of the store holds 65,535."""

_MOST_STAFF: Final = 2**31 - 1
_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A token to be made; its grants in their canonical text."""

    name: str
    grants: tuple[str, ...] = ()
    is_admin: bool = False
    staff_id: int | None = None
    expires_at: datetime | None = None
    policy: Policy = NO_POLICY


def read_wanted(given: Mapping[str, object], now: datetime) -> Wanted:
    """Return the token that some fields ask for.

    Raises:
        ValidationError: ``fields_invalid`` naming every field at fault.
    """
    fields = _Fields(given)
    fields.refuse_others(FIELDS)
    name = fields.name()
    grants = fields.grants()
    is_admin = fields.flag("is_admin")
    wanted = Wanted(name, grants, is_admin, fields.whole("staff_id", _MOST_STAFF), fields.end(now), _policy(fields))
    fields.check_size("/grants", json.dumps(grants, ensure_ascii=False))
    fields.check_size("/readable", policy_text(wanted.policy))
    if not grants and not is_admin and not fields.is_at_fault("grants"):
        fields.fault("/grants", "the token would do nothing: give grants, as in invoices:read, or administration")
    fields.finish()
    return wanted


def read_policy(given: Mapping[str, object]) -> Policy:
    """Return the policy that some fields ask for.

    Raises:
        ValidationError: ``fields_invalid`` naming every field at fault.
    """
    fields = _Fields(given)
    fields.refuse_others(POLICY_FIELDS)
    policy = _policy(fields)
    fields.finish()
    return policy


def _policy(fields: _Fields) -> Policy:
    rows = fields.named("rows", _row_filter)
    if sum(len(texts) for _, texts in rows) > MOST_CONDITIONS:
        fields.fault("/rows", f"a token has at most {MOST_CONDITIONS} conditions", "out_of_range")
    return Policy(
        readable=fields.named("readable", _column),
        writable=fields.named("writable", _column),
        rows=rows,
        addresses=fields.texts("addresses", "/addresses", lambda text: str(parse_network(text))),
        origins=fields.texts("origins", "/origins", parse_origin),
        most_rows=fields.whole("most_rows", DEFAULT_MOST_ROWS),
        rate=fields.read("rate", _rate),
        is_signed=fields.flag("is_signed"),
    )


def _row_filter(text: str) -> str:
    parse_row_filter(text)
    return text.strip()


def _rate(text: str) -> Rate:
    rate = parse_rate(text)
    if rate is None:
        raise ConfigurationError("a token's own rate is at least 1; without one it has that of the settings")
    return rate


def _column(text: str) -> str:
    name = text.strip()
    if not name or not name.isprintable():
        raise ConfigurationError(f'"{text}" is no name of a column.')
    return name


@dataclass(slots=True)
class _Fields:
    """Reads fields one by one and gathers what is wrong; an absent field and null are its default."""

    given: Mapping[str, object]
    issues: list[Issue] = field(default_factory=list)

    def fault(self, pointer: str, message: str, code: str = "member", suggestion: str | None = None) -> None:
        self.issues.append(Issue(message, pointer=pointer, code=code, suggestion=suggestion))

    def is_at_fault(self, name: str) -> bool:
        return any(f"{issue.pointer}/".startswith(f"/{name}/") for issue in self.issues)

    def finish(self) -> None:
        if self.issues:
            raise at_fault(self.issues)

    def check_size(self, pointer: str, text: str) -> None:
        if len(text.encode("utf-8", "replace")) > MOST_STORED_BYTES:
            self.fault(pointer, f"all of it together has at most {MOST_STORED_BYTES} bytes", "too_long")

    def refuse_others(self, known: Iterable[str]) -> None:
        names = tuple(known)
        for name in self.given:
            if name not in names:
                close = nearest(name, names)
                hint = f"; did you mean {close}?"[:-1] if close else ""
                self.fault(pointer_to(name), f"a token has no field {name!r}{hint}", "unknown", close)

    def name(self) -> str:
        value = self.given.get("name")
        if value is None:
            self.fault("/name", "a token needs a name", "required")
            return ""
        if not isinstance(value, str):
            self.fault("/name", "text is due", "type")
            return ""
        reason = _fault_of_name(value)
        if reason is not None:
            self.fault("/name", reason)
        return value

    def grants(self) -> tuple[str, ...]:
        texts = self.texts("grants", "/grants", lambda text: str(parse_grants((text,))[0]))
        return tuple(map(str, parse_grants(texts)))

    def flag(self, name: str) -> bool:
        value = self.given.get(name)
        if value is not None and not isinstance(value, bool):
            self.fault(f"/{name}", "true or false is due", "type")
        return value is True

    def whole(self, name: str, most: int) -> int | None:
        value = self.given.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.fault(f"/{name}", "a whole number is due", "type")
            return None
        if not 1 <= value <= most:
            self.fault(f"/{name}", f"1 to {most} is due", "out_of_range")
        return value

    def end(self, now: datetime) -> datetime | None:
        value = self.given.get("expires_at")
        if value is None:
            return None
        moment = value.astimezone(UTC) if isinstance(value, datetime) else None
        if isinstance(value, str):
            moment = moment_of(value, now.replace(microsecond=0))
        if moment is None:
            forms = "a span (90d, 12h), a day (2027-01-01) or a moment (2027-01-01T12:00:00Z)"
            self.fault("/expires_at", f"{forms} is due", "type")
        elif moment <= now:
            self.fault("/expires_at", "a token must end in the future", "out_of_range")
        return moment

    def read(self, name: str, read: Callable[[str], _Read]) -> _Read | None:
        value = self.given.get(name)
        return None if value is None else self._one(f"/{name}", value, read)

    def texts(self, name: str, pointer: str, read: Callable[[str], str]) -> tuple[str, ...]:
        return self._list(pointer, self.given.get(name), read)

    def named(self, name: str, read: Callable[[str], str]) -> Named:
        """Lists by resource; ``*`` is no resource that a limit could speak of."""
        value = self.given.get(name)
        if value is None:
            return ()
        if not isinstance(value, Mapping):
            self.fault(f"/{name}", "an object is due: lists of texts by resource", "type")
            return ()
        found: list[tuple[str, tuple[str, ...]]] = []
        for resource, texts in value.items():
            place = f"/{name}{pointer_to(resource)}"
            if resource == ANY or not resource.strip() or not resource.isprintable():
                self.fault(place, "a limit names one resource; there is none on all of them")
                continue
            read_texts = self._list(place, texts, read)
            if not read_texts and not any((issue.pointer or "").startswith(place) for issue in self.issues):
                self.fault(place, "at least one text is due", "required")
            found.append((resource.strip(), read_texts))
        return tuple(found)

    def _list(self, pointer: str, value: object, read: Callable[[str], str]) -> tuple[str, ...]:
        if value is None:
            return ()
        if isinstance(value, str) or not isinstance(value, list | tuple):
            self.fault(pointer, "a list of texts is due", "type")
            return ()
        if len(value) > MOST_TEXTS:
            self.fault(pointer, f"at most {MOST_TEXTS} texts are due", "out_of_range")
            return ()
        texts = (self._one(f"{pointer}/{number}", item, read) for number, item in enumerate(value))
        return tuple(dict.fromkeys(text for text in texts if text is not None))

    def _one(self, pointer: str, value: object, read: Callable[[str], _Read]) -> _Read | None:
        if not isinstance(value, str):
            self.fault(pointer, "text is due", "type")
            return None
        if not value.isprintable():
            self.fault(pointer, "printable text is due")
            return None
        try:
            return read(value)
        except ConfigurationError as error:
            self.fault(pointer, " ".join((*error.problems,)) or error.detail)
            return None


def _fault_of_name(name: str) -> str | None:
    if not name.strip() or not name.isprintable():
        return "a token's name is printable text: it appears in lists and logs"
    if len(name) > MOST_NAME:
        return f"a token's name has at most {MOST_NAME} characters"
    if name.isdecimal():
        return "a token's name is not a number: numbers are the ids of tokens"
    if name.startswith("jwt:"):
        return "names that begin with jwt: belong to the callers of an identity provider"
    return None


def pointer_to(name: str) -> str:
    """Return the JSON pointer of a name (RFC 6901)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def at_fault(issues: Iterable[Issue]) -> ValidationError:
    """Return the 422 that names every field at fault."""
    listed = tuple(issues)
    names = ", ".join(dict.fromkeys((issue.pointer or "").lstrip("/").partition("/")[0] for issue in listed))
    return ValidationError(
        "fields_invalid", f"The token cannot be made so; fields are at fault: {names}.", issues=listed
    )
