"""EXPLAIN -> rows a statement looks at. The rows of MariaDB are those that 10.11 gave on 200,000 invoices."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gateway.sql.explain import Estimate, Examined, Explained, explaining, read_blocks, read_explained

PAGE = "SELECT t.id FROM tblinvoices AS t ORDER BY t.id LIMIT %s, %s"
SORTED = "SELECT t.id FROM tblinvoices AS t ORDER BY t.subtotal LIMIT %s, %s"
MARIADB_WALK = [(1, "SIMPLE", "t", "index", None, "PRIMARY", "4", None, "26", 100.0, "Using index")]
MARIADB_STATUS = [(1, "SIMPLE", "t", "range", "status", "status", "5", None, "97882", 50.0, "Using where")]
MARIADB_SORT = [(1, "SIMPLE", "t", "ALL", None, None, None, None, "195765", 100.0, "Using filesort")]


def rows_of(text: str, explained: Sequence[tuple[object, ...]], wanted: int | None = None) -> float:
    """Return the number of rows in all."""
    return Explained(text, explained).estimate(wanted).rows


# Asking


def test_each_server_is_asked_in_its_own_words() -> None:
    """A server can be set to answer EXPLAIN as JSON or as a tree; SQLite gives no numbers."""
    assert explaining("SELECT 1", "mariadb") == "EXPLAIN EXTENDED SELECT 1"
    assert explaining("SELECT 1", "mysql") == "EXPLAIN FORMAT=TRADITIONAL SELECT 1"
    assert explaining("SELECT 1", "sqlite") is None


def test_both_layouts_are_read_alike() -> None:
    """MySQL has the partitions in the fourth place and real numbers; MariaDB gives the rows as text."""
    (mariadb,) = read_explained([(1, "SIMPLE", "t", "ref", "a,b", "a", "4", "const", "103", 50.0, "Using where")])
    (mysql,) = read_explained([(1, "SIMPLE", "t", None, "ref", "a,b", "a", "4", "const", 103, 50.0, "Using where")])

    assert mariadb == mysql
    assert (mariadb.alias, mariadb.access, mariadb.rows, mariadb.kept, mariadb.notes) == (
        "t",
        "ref",
        103.0,
        0.5,
        "Using where",
    )


def test_a_rowid_filter_is_told_behind_the_rows() -> None:
    """MariaDB names both ways and both indexes, and behind the rows what the second leaves of them."""
    row = (1, "SIMPLE", "t", "range|filter", "a,b", "a|b", "5|42", None, "103 (4%)", 4.0, "Using rowid filter")
    (read,) = read_explained([row])

    assert (read.rows, read.kept, read.is_whole) == (103, 0.04, False)


@pytest.mark.parametrize(
    "row",
    [
        (1, "SIMPLE", None, None, None, None, None, None, None, None, "Impossible WHERE"),
        (1, "SIMPLE", None, None, None, None, None, None, None, None, None, "Select tables optimized away"),
        (None, "UNION RESULT", "<union1,2>", "ALL", None, None, None, None, None, None, ""),
        (1, "SIMPLE"),
    ],
)
def test_a_line_that_reads_no_table_costs_nothing(row: tuple[object, ...]) -> None:
    """Nor does one in a layout that no server has."""
    assert rows_of(PAGE, [row]) == 0


# The text


def test_selects_are_numbered_as_they_begin() -> None:
    """Which is how both servers number them; each knows where in which other one it stands."""
    text = (
        "SELECT t.id, (SELECT sum(a.x) FROM tbla AS a WHERE a.t = t.id) AS s FROM tblt AS t "
        "LEFT OUTER JOIN (SELECT b.t AS t, sum(b.x) AS x FROM tblb AS b GROUP BY b.t) AS t_1 ON t_1.t = t.id "
        "AND (t.y IN (SELECT y.id FROM tbly AS y)) LEFT OUTER JOIN tblc AS c ON c.id = t.c "
        "WHERE EXISTS (SELECT 1 FROM tbld AS d WHERE d.t = t.id AND EXISTS (SELECT 1 FROM tble AS e)) "
        "GROUP BY t.id HAVING count(*) > (SELECT 1 FROM tblf AS f) "
        "ORDER BY (SELECT g.x FROM tblg AS g ORDER BY g.id LIMIT 1) LIMIT %s"
    )
    found = [(b.parent, b.place, *b.tables.values(), b.is_limited) for b in read_blocks(text).values()]

    assert found == [
        (0, "select", "tblt", "tblc", True),
        (1, "select", "tbla", False),
        (1, "from", "tblb", False),
        (1, "on", "tbly", False),
        (1, "where", "tbld", False),
        (5, "where", "tble", False),
        (1, "having", "tblf", False),
        (1, "order", "tblg", True),
    ]


def test_words_within_names_and_texts_are_not_taken_for_sql() -> None:
    """Nor the FROM and the ORDER BY of a function."""
    text = (
        "SELECT t.`from`, extract(YEAR FROM t.`order`), '(select '' \\' from x', row_number() OVER (ORDER BY t.a) "
        "FROM `tbl odd``name` AS `select` WHERE t.a = 'limit'"
    )
    (block,) = read_blocks(text).values()

    assert block.tables == {"select": "tbl odd`name"}
    assert (block.clause, block.is_limited) == ("where", False)


# One SELECT


def test_a_whole_table_is_as_many_rows_as_it_has() -> None:
    """And it is named."""
    estimate = Explained(SORTED, MARIADB_SORT).estimate(26)

    assert estimate == Estimate(195_765, (Examined("tblinvoices", 195_765, is_whole=True),))


def test_tables_joined_are_read_as_often_as_the_one_before_has_rows() -> None:
    """Those rows that its condition keeps."""
    text = "SELECT t.id FROM tblclients AS c JOIN tblinvoices AS t ON t.clientid = c.userid"
    explained: list[tuple[object, ...]] = [
        (1, "SIMPLE", "c", "ref", "country", "country", "4", "const", "534", 50.0, "Using temporary; Using filesort"),
        (1, "SIMPLE", "t", "ref", "clientid", "clientid", "4", "crm.c.userid", "9", 100.0, ""),
    ]

    assert Explained(text, explained).estimate(None).parts == (
        Examined("tblclients", 534, is_whole=False),
        Examined("tblinvoices", 267 * 9, is_whole=False),
    )


def test_a_hash_join_reads_its_table_once() -> None:
    """MySQL 8 does so where it has no index to join by."""
    text = "SELECT t.id FROM tblinvoices AS t LEFT OUTER JOIN tblcredits AS c ON c.invoice_id = t.id"
    explained: list[tuple[object, ...]] = [
        (1, "SIMPLE", "t", None, "ALL", None, None, None, None, 1000, 100.0, None),
        (
            1,
            "SIMPLE",
            "c",
            None,
            "ALL",
            None,
            None,
            None,
            None,
            50,
            100.0,
            "Using where; Using join buffer (hash join)",
        ),
    ]

    assert rows_of(text, explained) == 1050


# Pages


def test_a_page_along_an_index_ends_when_it_is_full() -> None:
    """Both servers count the limit in already."""
    explained = Explained(PAGE, MARIADB_WALK)

    assert (explained.is_walked, explained.is_cut) == (True, True)
    assert explained.estimate(26).rows == 26
    assert explained.estimate(26).parts[0].is_whole


def test_a_page_of_rows_looked_up_in_order_ends_when_it_is_full() -> None:
    """Here they do not; every other row fits, so that twice as many are looked at."""
    explained = Explained(PAGE, MARIADB_STATUS)

    assert (explained.is_walked, explained.is_cut) == (True, False)
    assert explained.estimate(26).rows == pytest.approx(52)


def test_where_nobody_knows_when_the_page_is_full_all_rows_count() -> None:
    """Those that the index leads to."""
    assert rows_of(PAGE, MARIADB_STATUS, None) == 97_882


@pytest.mark.parametrize("notes", ["Using filesort", "Using where; Using temporary", "Using temporary; Using filesort"])
def test_a_sort_looks_at_all_rows_first(notes: str) -> None:
    """However few are wanted."""
    explained = Explained(PAGE, [(*MARIADB_STATUS[0][:10], notes)])

    assert not explained.is_walked
    assert explained.estimate(26).rows == 97_882


def test_without_a_limit_all_rows_are_read() -> None:
    """A limit within does not end what is around it."""
    text = "SELECT t.id FROM tblinvoices AS t WHERE t.id IN (SELECT p.id FROM tblp AS p LIMIT 1) ORDER BY t.id"
    explained = Explained(text, MARIADB_STATUS)

    assert not explained.is_walked
    assert explained.estimate(26).rows == 97_882


# Subqueries


SHOWN = "SELECT t.id, (SELECT sum(c.amount) FROM tblcredits AS c WHERE c.invoice_id = t.id) AS x FROM tblinvoices AS t"
ASKED = "SELECT t.id FROM tblinvoices AS t WHERE EXISTS (SELECT 1 FROM tblcredits AS c WHERE c.invoice_id = t.id)"
CREDITS: tuple[object, ...] = (
    2,
    "DEPENDENT SUBQUERY",
    "c",
    "ALL",
    None,
    None,
    None,
    None,
    "6732",
    100.0,
    "Using where",
)


def test_a_subquery_that_is_shown_runs_for_the_rows_of_the_page() -> None:
    """It comes after the walk has found them."""
    walk = (1, "PRIMARY", *MARIADB_WALK[0][2:])

    assert rows_of(f"{SHOWN} ORDER BY t.id LIMIT %s", [walk, CREDITS], 26) == 26 + 26 * 6732


def test_a_subquery_that_is_shown_without_a_page_runs_for_every_row() -> None:
    """As in groups."""
    whole = (1, "PRIMARY", *MARIADB_SORT[0][2:])

    assert rows_of(SHOWN, [whole, CREDITS]) == 195_765 * 6733


def test_a_subquery_in_a_condition_runs_for_every_row_that_is_looked_at() -> None:
    """Before anybody knows whether the row belongs to the page."""
    found = (1, "PRIMARY", "t", "ref", "clientid", "clientid", "4", "const", "103", 10.0, "Using where; Using filesort")

    assert rows_of(f"{ASKED} ORDER BY t.total LIMIT %s", [found, CREDITS], 26) == 103 + 103 * 6732


def test_a_subquery_of_a_walk_runs_as_far_as_the_walk_goes() -> None:
    """Which is the part of it that fills the page."""
    found = (1, "PRIMARY", "t", "range", "status", "status", "5", None, "1000", 100.0, "Using where")
    lookup = (2, "DEPENDENT SUBQUERY", "c", "ref", "i", "i", "4", "t.id", "2", 100.0, "")

    assert rows_of(f"{ASKED} ORDER BY t.id LIMIT %s", [found, lookup], 10) == pytest.approx(10 + 10 * 2)


def test_what_is_gathered_once_is_counted_once() -> None:
    """A materialized subquery, as MariaDB makes of EXISTS, and its lookups."""
    explained: list[tuple[object, ...]] = [
        (1, "PRIMARY", "t", "index", "PRIMARY", "PRIMARY", "4", None, "195765", 100.0, ""),
        (1, "PRIMARY", "<subquery2>", "eq_ref", "distinct_key", "distinct_key", "4", "func", "1", 100.0, ""),
        (2, "MATERIALIZED", "c", "ALL", "invoiceid", None, None, None, "189837", 100.0, "Using where"),
    ]

    assert rows_of(f"{ASKED} ORDER BY t.id LIMIT %s", explained) == 195_765 * 2 + 189_837


def test_a_sum_that_is_joined_has_one_row_each() -> None:
    """It is grouped by what it is joined by; the servers guess ten, which for two sums is a hundred times too many."""
    text = (
        "SELECT t.id FROM tblinvoices AS t LEFT OUTER JOIN (SELECT p.invoiceid AS invoiceid, sum(p.amount) AS total "
        "FROM tblinvoicepaymentrecords AS p GROUP BY p.invoiceid) AS t_2 ON t_2.invoiceid = t.id LEFT OUTER JOIN "
        "(SELECT c.invoice_id AS invoice_id, sum(c.amount) AS total FROM tblcredits AS c GROUP BY c.invoice_id) AS t_4 "
        "ON t_4.invoice_id = t.id ORDER BY t.total - t_2.total - t_4.total, t.id LIMIT %s"
    )
    key: tuple[object, ...] = ("ref", "key0", "key0", "5", "crm.t.id", "10", 100.0, "")
    explained: list[tuple[object, ...]] = [
        (1, "PRIMARY", *MARIADB_SORT[0][2:10], "Using temporary; Using filesort"),
        (1, "PRIMARY", "<derived2>", *key),
        (1, "PRIMARY", "<derived3>", *key),
        (3, "DERIVED", "c", "ALL", None, None, None, None, "6732", 100.0, "Using temporary; Using filesort"),
        (2, "DERIVED", "p", "ALL", "invoiceid", None, None, None, "189837", 100.0, "Using temporary; Using filesort"),
    ]
    parts = Explained(text, explained).estimate(26).parts

    assert parts == (
        Examined("tblinvoices", 195_765, is_whole=True),
        Examined("", 195_765, is_whole=False),
        Examined("", 195_765, is_whole=False),
        Examined("tblcredits", 6732, is_whole=True),
        Examined("tblinvoicepaymentrecords", 189_837, is_whole=True),
    )


def test_subqueries_within_subqueries_multiply() -> None:
    """Also where the one between has been merged into the one around it, and has no line of its own."""
    text = (
        "SELECT t.id FROM tbla AS t WHERE EXISTS (SELECT 1 FROM tblb AS b WHERE b.a = t.id AND b.x > "
        "(SELECT max(c.x) FROM tblc AS c WHERE c.b = b.id))"
    )
    nested: list[tuple[object, ...]] = [
        (1, "PRIMARY", "t", "ALL", None, None, None, None, "10", 100.0, "Using where"),
        (2, "DEPENDENT SUBQUERY", "b", "ref", "a", "a", "4", "t.id", "3", 100.0, "Using where"),
        (3, "DEPENDENT SUBQUERY", "c", "ref", "b", "b", "4", "b.id", "2", 100.0, ""),
    ]
    merged: list[tuple[object, ...]] = [
        nested[0],
        (1, "PRIMARY", *nested[1][2:10], "Using where; FirstMatch(t)"),
        nested[2],
    ]

    assert rows_of(text, nested) == 10 + 30 + 60
    assert rows_of(text, merged) == 10 + 30 + 60
    assert Explained(text, merged).estimate(None).parts[1].table == "tblb"


def test_a_line_that_belongs_to_no_select_of_the_text_still_counts() -> None:
    """A view brings SELECTs of its own along."""
    explained: list[tuple[object, ...]] = [
        (1, "PRIMARY", "<derived7>", "ALL", None, None, None, None, "50", 100.0, ""),
        (7, "DEPENDENT SUBQUERY", "x", "ALL", None, None, None, None, "9", 100.0, ""),
    ]

    assert Explained("SELECT t.id FROM v AS t", explained).estimate(None).parts == (
        Examined("", 50, is_whole=False),
        Examined("", 9, is_whole=True),
    )
