"""Every driver error class and number -> `GatewayError`, by table.

What comes in: whatever a driver or the event loop raised. What goes out: an error
whose words are all written here. The driver's own words never leave: they may hold
values, SQL, hidden names. They stay on the cause of the error raised, for the log.

A refused value names its column only in `ValueRefusedError.refusal`, as data:
whoever knows what the caller may see decides whether to say it.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import asyncmy.errors

from gateway.errors import (
    ConflictError,
    GatewayError,
    InternalError,
    RequestError,
    SchemaChangedError,
    UnavailableError,
    ValidationError,
)

RETRY: Final[Mapping[str, str]] = MappingProxyType({"Retry-After": "1"})
"""Headers of every failure that is worth another try."""

RETRY_LATER: Final[Mapping[str, str]] = MappingProxyType({"Retry-After": "60"})
"""Headers of a failure that lasts until somebody changes something at the database."""


@dataclass(frozen=True, slots=True)
class FieldRefusal:
    """A value the database refused: its column as the database names it, where known, and why.

    ``code`` is one of `gateway.errors.FIELD_CODES`, None for a CHECK constraint.
    """

    column: str | None
    code: str | None


class ValueRefusedError(ValidationError):
    """The database's strict mode or a constraint refused a value (422)."""

    def __init__(self, refusal: FieldRefusal) -> None:
        super().__init__("fields_invalid", "The database does not accept one of the values; check types and lengths.")
        self.refusal = refusal


def database_away() -> UnavailableError:
    """Return the failure of a request that changed nothing because the database is away."""
    detail = "The database cannot be reached; nothing was changed. Try again in a moment."
    return UnavailableError("database_away", detail, headers=RETRY)


def database_refusing() -> UnavailableError:
    """Return the failure of a request that the database's accounts or modes do not permit."""
    detail = "The database does not permit this to the gateway now; the administrator's log has the reason."
    return UnavailableError("database_refuses", detail, headers=RETRY_LATER)


def database_busy() -> UnavailableError:
    """Return the failure of a request that got no connection."""
    detail = "All database connections stayed busy for the whole wait. Try again in a moment."
    return UnavailableError("database_busy", detail, headers=RETRY)


def statement_timeout() -> UnavailableError:
    """Return the failure of a statement that was stopped at its limit."""
    detail = "The database did not answer within the limit. Ask for less: fewer rows, an indexed filter or sort."
    return UnavailableError("statement_timeout", detail, headers=RETRY)


def outcome_unknown() -> UnavailableError:
    """Return the failure of a write whose commit was never confirmed."""
    detail = "The connection died at commit. Read the row before you send the write again: it may have happened."
    return UnavailableError("outcome_unknown", detail, headers=RETRY)


def write_conflict() -> ConflictError:
    """Return the failure of a write that met another one; nothing of it was kept."""
    detail = "Another write held the row, and nothing was changed. Try again."
    return ConflictError("write_conflict", detail, headers=RETRY)


def _duplicate() -> ConflictError:
    return ConflictError("duplicate", "A row with the same value in a unique field exists. Change the value.")


def _dependants() -> ConflictError:
    return ConflictError("dependants", "Other rows refer to this one. Delete or change them first.")


def _reference_missing() -> ConflictError:
    return ConflictError("reference_missing", "A value refers to a row that does not exist. Create that row first.")


def _refused_by_rule() -> ConflictError:
    detail = "A rule of the database itself refused the write, and nothing was changed; its administrator knows which."
    return ConflictError("refused_by_database", detail)


def _numbers_spent() -> ConflictError:
    detail = (
        "The table has no number left for the key of a new row, and nothing was changed; the database's administrator "
        "can widen the key, or set its counter back."
    )
    return ConflictError("refused_by_database", detail)


def _incomparable() -> RequestError:
    detail = "A text of the request holds characters that the column it is compared with cannot hold."
    return RequestError("operand_invalid", detail)


def _internal() -> InternalError:
    return InternalError("internal", "The gateway could not run its statement; the request id finds it in the log.")


Maker = Callable[[], GatewayError]

_GROUPS: Final[tuple[tuple[Maker, tuple[int, ...]], ...]] = (
    # lock wait; deadlock; record changed since read (snapshot isolation); NOWAIT; XA deadlock
    (write_conflict, (1205, 1213, 1020, 3572, 1614)),
    # the forms of a duplicate key: plain, named, by a foreign key's cascade, autoincrement, write in alter
    (_duplicate, (1062, 1586, 1022, 1761, 1762, 1859)),
    (_dependants, (1451, 1217)),
    # SIGNAL of a trigger
    (_refused_by_rule, (1644,)),
    # no auto-increment key left: as the server tells it, and as its storage engine does (MariaDB)
    (_numbers_spent, (1467, 167)),
    # collations of column and text do not mix, the text does not convert
    (_incomparable, (1267, 1270, 1271, 3988, 3854)),
    (_reference_missing, (1452, 1216)),
    # MariaDB's and MySQL's limit; interrupted (KILL QUERY)
    (statement_timeout, (1969, 3024, 1317, 1907)),
    # unknown column, table; invalid view; table changed; unknown in multi-delete; stale prepared statements
    (SchemaChangedError, (1054, 1146, 1356, 1109, 1412, 1615, 1243)),
    # accounts: database, login, table, column, command, routine, definer, socket login, host
    (database_refusing, (1044, 1045, 1142, 1143, 1227, 1370, 1449, 1698, 1130, 1129, 1049, 1251, 1275, 1345)),
    # read only: server option, server, transaction, tablespace; storage: disk, engine, memory, full, crashed
    (database_refusing, (1290, 1836, 1792, 1874, 1021, 1030, 1037, 1038, 1041, 1114, 1194, 1195, 1665)),
    # too many connections: server, user, resource limit
    (database_busy, (1040, 1203, 1226)),
    # shutdown and network, killed, cluster node not ready, idle disconnect
    (database_away, (1047, 1053, 1077, 1078, 1079, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1189, 1190)),
    (database_away, (1927, 3169, 4031)),
    # the client's own: connect, gone, lost, out of sync, handshake, TLS, auth plugins
    (database_away, tuple(range(2000, 2062))),
)

MAKERS: Final[Mapping[int, Maker]] = MappingProxyType({number: make for make, numbers in _GROUPS for number in numbers})
"""Error number of the server or its client library -> failure."""

REFUSALS: Final[Mapping[int, str | None]] = MappingProxyType(
    {
        1264: "out_of_range",
        1690: "out_of_range",  # arithmetic: a column's new value, computed
        1366: "type",  # incorrect value
        1406: "too_long",
        1153: "too_long",  # larger than max_allowed_packet
        1292: "type",  # incorrect date or number
        1265: "type",  # truncated: not a member, not a number to its end
        1411: "type",
        1416: "type",  # no geometry
        3037: "type",
        1048: "null",
        1138: "null",
        1263: "null",
        1364: "required",
        3819: None,  # CHECK, MySQL
        4025: None,  # CHECK, MariaDB
    }
)
"""Error number of a refused value -> the field's code."""

BREAKING: Final = frozenset({1047, 1053, 1079, 1080, 1152, 1153, 1158, 1159, 1160, 1161, 1184, 1927, 3169, 4031})
"""Numbers of the server after which it closes the connection."""

UNCERTAIN: Final = BREAKING | {1317, 1969, 3024}
"""Numbers that answer a commit without saying whether it happened."""

BUSY: Final = frozenset({1040, 1203, 1226})
"""Numbers that refuse one connection more although the server is there."""


class CommitCutError(asyncio.CancelledError):
    """A task was cancelled while its commit was under way: what it wrote is kept, or not, and it does not know.

    ``failure`` is what its client is told where it can still be told anything.
    """

    def __init__(self, failure: UnavailableError | None = None) -> None:
        super().__init__()
        self.failure = failure if failure is not None else outcome_unknown()


def errno_of(error: BaseException) -> int:
    """Return the error's number, 0 where it has none."""
    number = error.args[0] if error.args and isinstance(error, asyncmy.errors.MySQLError) else 0
    return number if isinstance(number, int) else 0


def is_answer(error: BaseException) -> bool:
    """Whether the server answered with this error and goes on listening: the connection can be used again.

    Numbers from 120 on are those of a storage engine, which the server passes on (MariaDB, "Operating System Error
    Codes").
    """
    number = errno_of(error)
    return number >= 120 and not 2000 <= number < 3000 and number not in BREAKING


def is_loss(error: BaseException) -> bool:
    """Whether the connection is gone, by the server's doing or the network's."""
    number = errno_of(error)
    if isinstance(error, asyncmy.errors.InterfaceError) and number == 0:
        return True
    return 2000 <= number < 3000 or number in BREAKING - {1153} or isinstance(error, OSError | EOFError)


def was_never_sent(error: BaseException) -> bool:
    """Whether the driver noticed the dead connection before it wrote anything to it."""
    return errno_of(error) == 2006 or (isinstance(error, asyncmy.errors.InterfaceError) and errno_of(error) == 0)


def translate(error: BaseException) -> GatewayError:
    """Return the failure that a driver's error means; raise it ``from`` the error, so that the log has both."""
    if isinstance(error, GatewayError):
        return error
    if isinstance(error, sqlite3.Error):
        return _translate_sqlite(error)
    number = errno_of(error)
    if number in REFUSALS:
        return ValueRefusedError(FieldRefusal(_column_named(str(error.args[-1])), REFUSALS[number]))
    make = MAKERS.get(number)
    if make is None:
        make = database_away if is_loss(error) else _internal
    return make()


# The column stands at the end of the server's sentence; what stands before it may quote the client's value.
_COLUMN: Final = re.compile(
    r"(?:column (?:`[^`]*`\.`[^`]*`\.)?[`'](?P<at_row>[^`']+)[`'] at row \d+"
    r"|\AColumn '(?P<null>[^']+)' cannot be null"
    r"|\AField '(?P<default>[^']+)' doesn't have a default value)\Z"
)


def _column_named(message: str) -> str | None:
    match = _COLUMN.search(message)
    return match and next(name for name in match.groups() if name)


_REFUSAL_REASONS: Final[Mapping[int, str]] = MappingProxyType(
    {
        1045: "the database refuses the user or password",
        1698: "the database refuses the user or password",
        1044: "the user may not use this database",
        1049: "there is no database of this name",
        1130: "the database does not accept connections from this host",
        1129: "the database has blocked this host after too many failed connections",
        1251: "the database's authentication method is too old or unknown",
        1275: "the database's authentication method is too old or unknown",
        2059: "the database's authentication method is not supported",
        2026: "the database offers no TLS, and the settings require it",
    }
)


def refusal_reason(error: BaseException) -> str | None:
    """Return why waiting will not help (credentials, database name, TLS), None when it may."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "the database's certificate is not the one the CA file vouches for"
        if reason := _REFUSAL_REASONS.get(errno_of(cause)):
            return reason
    return None


def _causes(error: BaseException | None) -> Iterable[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


# --- SQLite: by extended result code; a foreign key's direction is not told, so the statement decides ---

_SQLITE: Final[Mapping[str, Maker]] = MappingProxyType(
    {
        "SQLITE_CONSTRAINT_UNIQUE": _duplicate,
        "SQLITE_CONSTRAINT_PRIMARYKEY": _duplicate,
        "SQLITE_CONSTRAINT_ROWID": _duplicate,
        "SQLITE_CONSTRAINT_FOREIGNKEY": _reference_missing,
        "SQLITE_BUSY": write_conflict,
        "SQLITE_LOCKED": write_conflict,
        "SQLITE_INTERRUPT": statement_timeout,
        "SQLITE_SCHEMA": SchemaChangedError,
        "SQLITE_READONLY": database_refusing,
        "SQLITE_PERM": database_refusing,
        "SQLITE_FULL": database_refusing,
        "SQLITE_CANTOPEN": database_away,
        "SQLITE_IOERR": database_away,
        "SQLITE_CORRUPT": database_away,
        "SQLITE_NOTADB": database_away,
    }
)
_SQLITE_REFUSALS: Final[Mapping[str, str | None]] = MappingProxyType(
    {
        "SQLITE_CONSTRAINT_NOTNULL": "null",
        "SQLITE_CONSTRAINT_DATATYPE": "type",
        "SQLITE_MISMATCH": "type",
        "SQLITE_TOOBIG": "too_long",
        "SQLITE_CONSTRAINT_CHECK": None,
    }
)
_SQLITE_MISSING: Final = re.compile(r"\A(?:no such (?:column|table|view)|table .+ has no column)")
_SQLITE_COLUMN: Final = re.compile(
    r"\A(?:NOT NULL constraint failed: |cannot store .+ value in .+ column )\S+\.(\S+)\Z"
)


def _translate_sqlite(error: sqlite3.Error) -> GatewayError:
    name, message = str(getattr(error, "sqlite_errorname", "")), str(error)
    if name in _SQLITE_REFUSALS:
        match = _SQLITE_COLUMN.match(message)
        return ValueRefusedError(FieldRefusal(match and match[1], _SQLITE_REFUSALS[name]))
    if _SQLITE_MISSING.match(message):
        return SchemaChangedError()
    make = _SQLITE.get(name) or _SQLITE.get("_".join(name.split("_")[:2]), _internal)
    return make()


def translate_deletion(error: BaseException) -> GatewayError:
    """Return `translate`'s failure for a DELETE, whose broken foreign keys are those of rows that stay."""
    failure = translate(error)
    return _dependants() if failure.code == "reference_missing" else failure
