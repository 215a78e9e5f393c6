"""What a connection is asked for, without one."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from gateway.errors import ConfigurationError
from gateway.execution.connect import open_database
from gateway.execution.link import question_marks, session_statement, tls_context
from gateway.execution.mysql import MySqlDatabase
from gateway.settings import Settings


def test_the_session_is_set_in_one_statement() -> None:
    """Each server has its own name and unit for the limits."""
    settings = Settings(statement_limit_s=2.5, lock_wait_s=3)
    mariadb, mysql = session_statement("mariadb", settings), session_statement("mysql", settings)

    assert "max_statement_time = 2.500" in mariadb
    assert "tx_isolation = IF(" in mariadb
    assert "max_execution_time = 2500" in mysql
    assert "transaction_isolation = 'READ-COMMITTED'" in mysql
    for text in (mariadb, mysql):
        assert text.startswith("SET NAMES utf8mb4, autocommit = 1, sql_mode = 'STRICT_TRANS_TABLES,")
        assert "innodb_lock_wait_timeout = 3, lock_wait_timeout = 3" in text
        assert "ZERO_DATE" not in text


def test_the_database_works_no_longer_than_a_request_may_take() -> None:
    """A little less, so that it is the one to say that nothing was done; an export has its own time."""
    settings = Settings(statement_limit_s=60, lock_wait_s=30, request_limit_s=4)
    text = session_statement("mariadb", settings)

    assert "max_statement_time = 3.750" in text
    assert "innodb_lock_wait_timeout = 4, lock_wait_timeout = 4" in text
    assert "max_execution_time = 3750" in session_statement("mysql", settings)
    assert "max_statement_time = 60.000" in session_statement("mariadb", settings, settings.statement_limit_s)
    assert "lock_wait_timeout = 1" in session_statement("mariadb", Settings(request_limit_s=0.5))


def test_a_lone_percent_sign_is_a_mistake_of_ours() -> None:
    """It would be a placeholder on one path and text on the other."""
    assert question_marks("a = %s AND b LIKE '%%' AND c = %s") == "a = ? AND b LIKE '%' AND c = ?"
    for text in ("a % b", "100%"):
        with pytest.raises(ValueError, match="percent"):
            question_marks(text)


def test_tls_follows_the_settings(tmp_path: Path) -> None:
    """Off is none, without a CA nothing is verified, an unreadable CA is told at the start."""
    context = tls_context(Settings())

    assert tls_context(Settings(database_tls="off")) is None
    assert context is not None
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)
    with pytest.raises(ConfigurationError, match="GATEWAY_DATABASE_TLS_CA"):
        tls_context(Settings(database_tls_ca=str(tmp_path / "none.pem")))


async def test_opening_connects_to_nothing() -> None:
    """The gateway starts while its database is down."""
    database = open_database(Settings(database_url="mysql://nobody@127.0.0.1:1/none"), lambda event: None)

    assert isinstance(database, MySqlDatabase)
    assert not database.status().is_reachable
    await database.close()


@pytest.mark.parametrize("url", ["", "postgres://h/db", "crm.db"])
def test_an_unknown_url_is_told_at_the_start(url: str) -> None:
    """The message shows what a URL looks like."""
    with pytest.raises(ConfigurationError, match="mysql://user:password@host"):
        open_database(Settings(database_url=url), lambda event: None)
