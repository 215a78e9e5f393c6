"""Every driver error goes where the table says, and never with the driver's words."""

from __future__ import annotations

import asyncio
import sqlite3

import asyncmy.errors
import pytest

from gateway.errors import FIELD_CODES, GatewayError, InternalError, UnavailableError, ValidationError
from gateway.execution.failures import (
    MAKERS,
    REFUSALS,
    FieldRefusal,
    ValueRefusedError,
    is_answer,
    is_loss,
    refusal_reason,
    translate,
    translate_deletion,
    was_never_sent,
)

SECRET = "Unknown column 'password_hash' near 'SELECT hunter2'"

CODES = {
    1205: "write_conflict",
    1213: "write_conflict",
    1020: "write_conflict",
    1062: "duplicate",
    167: "refused_by_database",
    1467: "refused_by_database",
    1451: "dependants",
    1452: "reference_missing",
    1969: "statement_timeout",
    3024: "statement_timeout",
    1317: "statement_timeout",
    1054: "schema_changed",
    1146: "schema_changed",
    1356: "schema_changed",
    1615: "schema_changed",
    1044: "database_refuses",
    1045: "database_refuses",
    1142: "database_refuses",
    1143: "database_refuses",
    1227: "database_refuses",
    1370: "database_refuses",
    1290: "database_refuses",
    1836: "database_refuses",
    1040: "database_busy",
    1203: "database_busy",
    1927: "database_away",
    2003: "database_away",
    2006: "database_away",
    2013: "database_away",
    2055: "database_away",
    1064: "internal",
    9999: "internal",
}

CLASSES = [
    kind
    for kind in vars(asyncmy.errors).values()
    if isinstance(kind, type) and issubclass(kind, asyncmy.errors.MySQLError)
]


def words_of(failure: GatewayError) -> str:
    """Return everything of a failure that could reach a client."""
    return " ".join((failure.detail, str(failure), *map(str, failure.issues), *failure.headers.values()))


@pytest.mark.parametrize("number", sorted(CODES))
def test_a_number_has_its_code(number: int) -> None:
    """The server's number decides, whatever class the driver gave it."""
    for kind in (asyncmy.errors.OperationalError, asyncmy.errors.InternalError):
        assert translate(kind(number, SECRET)).code == CODES[number]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_no_failure_repeats_the_driver(kind: type[asyncmy.errors.MySQLError]) -> None:
    """Every class with every known and some unknown numbers: our words only, and a registered code."""
    for number in (0, 777, 65_535, *MAKERS, *REFUSALS):
        words = words_of(translate(kind(number, SECRET)))
        assert not [word for word in ("password_hash", "hunter2", "SELECT", "Unknown", "near") if word in words]


def test_every_driver_class_is_known() -> None:
    """The classes of the driver are those the tests above have tried."""
    assert {kind.__name__ for kind in CLASSES} == {
        *("MySQLError", "Warning", "Error", "InterfaceError", "DatabaseError", "DataError", "OperationalError"),
        *("IntegrityError", "InternalError", "ProgrammingError", "NotSupportedError"),
    }


@pytest.mark.parametrize(
    "error",
    [ConnectionResetError(SECRET), BrokenPipeError(SECRET), TimeoutError(), asyncio.IncompleteReadError(b"", 4)],
)
def test_network_errors_are_a_database_away(error: Exception) -> None:
    """What the loop or the socket raises means the same as the driver's own words for it."""
    failure = translate(error)

    assert failure.code == "database_away"
    assert failure.headers["Retry-After"] == "1"
    assert is_loss(error)


def test_what_an_administrator_must_mend_is_not_tried_again_at_once() -> None:
    """A missing right stays missing: clients are told to wait a minute, not a second."""
    failure = translate(asyncmy.errors.OperationalError(1142, SECRET))

    assert (failure.status, failure.code, failure.headers["Retry-After"]) == (503, "database_refuses", "60")


def test_what_nobody_foresaw_is_internal_and_gateway_errors_pass() -> None:
    """An unknown error keeps its words to the log; a failure already made stays what it is."""
    made = UnavailableError("database_busy", "busy")

    assert isinstance(translate(ValueError(SECRET)), InternalError)
    assert SECRET not in str(translate(ValueError(SECRET)))
    assert translate(made) is made


@pytest.mark.parametrize("number", sorted(REFUSALS))
def test_refused_values_have_field_codes(number: int) -> None:
    """Every refusal is a 422 whose code the API documents; the column is data only."""
    failure = translate(asyncmy.errors.DataError(number, "Data too long for column 'secret' at row 1"))

    assert isinstance(failure, ValueRefusedError)
    assert isinstance(failure, ValidationError)
    assert failure.refusal == FieldRefusal("secret", REFUSALS[number])
    assert failure.refusal.code is None or failure.refusal.code in FIELD_CODES
    assert "secret" not in words_of(failure)


@pytest.mark.parametrize(
    ("message", "column"),
    [
        ("Data too long for column 'name' at row 1", "name"),
        ("Incorrect integer value: 'x' for column `crm`.`tblleads`.`status` at row 12", "status"),
        ("Incorrect integer value: 'for column `a` at row 1' for column `b` at row 1", "b"),
        ("Column 'name' cannot be null", "name"),
        ("Field 'name' doesn't have a default value", "name"),
        ("CONSTRAINT `chk` failed for `crm`.`t`", None),
        ("Truncated incorrect DOUBLE value: 'Column 'x' cannot be null'", None),
        ("", None),
    ],
)
def test_the_column_is_read_from_the_end_of_the_sentence(message: str, column: str | None) -> None:
    """A value quoted in the message cannot pretend to be the column."""
    failure = translate(asyncmy.errors.DataError(1366, message))

    assert isinstance(failure, ValueRefusedError)
    assert failure.refusal.column == column


@pytest.mark.parametrize(
    ("number", "answers", "lost"),
    [
        (1062, True, False),
        (167, True, False),
        (104, False, False),
        (1927, False, True),
        (2013, False, True),
        (1153, False, False),
    ],
)
def test_it_is_known_what_a_connection_survives(number: int, answers: bool, lost: bool) -> None:
    """Answered errors leave a connection usable; closing ones do not."""
    error = asyncmy.errors.OperationalError(number, "")

    assert (is_answer(error), is_loss(error)) == (answers, lost)


def test_a_dead_connection_noticed_before_writing_is_told_apart() -> None:
    """Then nothing was sent, and nothing can have happened."""
    assert was_never_sent(asyncmy.errors.OperationalError(2006, ""))
    assert was_never_sent(asyncmy.errors.InterfaceError(0, "Not connected"))
    assert not was_never_sent(asyncmy.errors.OperationalError(2013, ""))


def test_only_lasting_refusals_have_a_reason() -> None:
    """Credentials will not mend themselves; a lost connection may."""
    failure = translate(refused := asyncmy.errors.OperationalError(1045, SECRET))
    failure.__cause__ = refused

    assert refusal_reason(failure) == "the database refuses the user or password"
    assert refusal_reason(translate(asyncmy.errors.OperationalError(2003, ""))) is None


def sqlite_error(name: str, message: str = SECRET) -> sqlite3.Error:
    """Return an error as the sqlite3 module raises it."""
    error = sqlite3.OperationalError(message)
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("SQLITE_CONSTRAINT_UNIQUE", "duplicate"),
        ("SQLITE_CONSTRAINT_PRIMARYKEY", "duplicate"),
        ("SQLITE_CONSTRAINT_FOREIGNKEY", "reference_missing"),
        ("SQLITE_CONSTRAINT_CHECK", "fields_invalid"),
        ("SQLITE_BUSY", "write_conflict"),
        ("SQLITE_BUSY_SNAPSHOT", "write_conflict"),
        ("SQLITE_LOCKED_SHAREDCACHE", "write_conflict"),
        ("SQLITE_INTERRUPT", "statement_timeout"),
        ("SQLITE_CANTOPEN", "database_away"),
        ("SQLITE_IOERR_READ", "database_away"),
        ("SQLITE_READONLY_DIRECTORY", "database_refuses"),
        ("SQLITE_ERROR", "internal"),
        ("", "internal"),
    ],
)
def test_sqlite_codes_have_theirs(name: str, code: str) -> None:
    """Extended result codes count, and fall back on their family."""
    failure = translate(sqlite_error(name))

    assert failure.code == code
    assert "password_hash" not in words_of(failure)


def test_sqlite_names_missing_things_and_null_columns() -> None:
    """Where SQLite has one code for many errors, its fixed words decide."""
    missing = translate(sqlite_error("SQLITE_ERROR", "no such column: x"))
    null = translate(sqlite_error("SQLITE_CONSTRAINT_NOTNULL", "NOT NULL constraint failed: tblleads.name"))

    assert missing.code == "schema_changed"
    assert isinstance(null, ValueRefusedError)
    assert null.refusal == FieldRefusal("name", "null")


def test_a_deletion_breaks_keys_the_other_way() -> None:
    """The same SQLite error means rows that refer to the deleted one."""
    assert translate_deletion(sqlite_error("SQLITE_CONSTRAINT_FOREIGNKEY")).code == "dependants"
    assert translate_deletion(sqlite_error("SQLITE_BUSY")).code == "write_conflict"
