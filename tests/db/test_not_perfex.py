"""A database that is not Perfex is served by the same code with a ten-line whitelist."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.app import App, served
from tests.support.mariadb import Server

SCRIPT = Path(__file__).parents[1] / "fixtures" / "odd.sql"
WHITELIST = """version: 1
profile: none
tables:
  region: {search: [name]}
  Kunde: {aliases: [customers]}
  order: {}
  order line: {}
  keyless: {}
  unique_only: {key: slug}
  big orders: {}
  secret_things:
"""


@pytest.fixture(scope="module")
def database(mariadb_server: Server) -> Iterator[str]:
    """The URL of a database with the tables of the script."""
    name = f"gateway_odd_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = mariadb_server.create_database(name)
    statements = [part for part in SCRIPT.read_text(encoding="utf-8").split("\n;\n") if part.strip()]
    with mariadb_server.connection(name) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    yield url
    mariadb_server.drop_database(name)


@pytest.fixture(scope="module")
async def app(database: str) -> AsyncIterator[App]:
    """The application on that database."""
    async with served(database, whitelist=WHITELIST) as app:
        yield app


def test_the_whitelist_is_short() -> None:
    """Eight tables in about ten lines."""
    assert len(WHITELIST.splitlines()) <= 11


async def test_every_table_and_view_is_a_resource(app: App) -> None:
    """Under its own name, encoded in paths."""
    body = await app.json("")

    assert {row["resource"] for row in body["data"]} == {
        "region",
        "Kunde",
        "order",
        "order line",
        "keyless",
        "unique_only",
        "big orders",
        "secret_things",
    }
    for row in body["data"]:
        answer = await app.client.get(row["links"]["self"])
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"]


@pytest.mark.parametrize(
    "column",
    [
        "select",
        "group by",
        "100%",
        "%s",
        "it's",
        'say "hi"',
        "back`tick",
        "größe_å_日本",
        "fields",
        "data",
        "a.b",
        "colon:name",
        "limit",
        "per_page",
    ],
)
async def test_a_column_of_any_name_is_read_filtered_sorted_and_written(app: App, column: str) -> None:
    """Reserved words, spaces, signs of SQL and of Python's formatting, other scripts."""
    rows = (await app.json("order"))["data"]
    low, high = sorted(row[column] for row in rows)

    chosen = await app.client.get("/api/v1/order", params={"fields": f"key,{column}", "sort": f"-{column}"})
    assert [row[column] for row in chosen.json()["data"]] == [high, low], chosen.text
    found = await app.client.get("/api/v1/order", params={f"filter[{column}]": str(low), "fields": column})
    assert found.json()["data"] == [{column: low}]
    more = await app.client.get("/api/v1/order", params={f"filter[{column}.gt]": str(low)})
    assert [row[column] for row in more.json()["data"]] == [high]
    changed = await app.client.patch("/api/v1/order/1", json={column: rows[1][column]})
    assert changed.json()["data"] == {**rows[0], column: rows[1][column]}, changed.text
    again = await app.client.patch("/api/v1/order/1", json={column: rows[0][column]})
    assert again.json()["data"] == rows[0]


@pytest.mark.parametrize("column", ["filter[x]", "a,b", "-minus"])
async def test_a_column_whose_name_the_grammar_cannot_say_is_still_shown_and_written(app: App, column: str) -> None:
    """A comma, a bracket or a leading minus means something in a URL; rows and bodies hold the column all the same."""
    row = (await app.json("order/2"))["data"]

    changed = await app.client.patch("/api/v1/order/2", json={column: 77})
    back = await app.client.patch("/api/v1/order/2", json={column: row[column]})

    assert changed.json()["data"] == {**row, column: 77}, changed.text
    assert back.json()["data"] == row


@pytest.mark.parametrize(
    ("key", "name"),
    [(("AT", "W,1"), "Wien"), (("AT", "a/b"), "Slash"), (("DE", "100%"), "Percent"), (("DE", "é?#&=+"), "Signs")],
)
async def test_a_composite_key_is_one_segment_whatever_its_values_hold(
    app: App, key: tuple[str, str], name: str
) -> None:
    """Commas, slashes, percent signs and reserved signs stand encoded in a path, and links lead back."""
    path = f"/api/v1/region/{','.join(quote(part, safe='') for part in key)}"

    answer = await app.client.get(path)

    assert answer.status_code == 200, answer.text
    assert answer.json()["data"] == {"country": key[0], "code": key[1], "name": name}
    assert answer.json()["links"]["self"] == path
    for link in answer.json()["links"].values():
        assert (await app.client.get(link)).status_code == 200


@pytest.mark.parametrize("path", ["region/AT", "region/AT,W,1", "region/AT,W,1,x"])
async def test_a_key_of_the_wrong_size_is_refused(app: App, path: str) -> None:
    """And the answer says what the key is."""
    answer = await app.get(path)

    assert (answer.status_code, answer.json()["code"]) == (400, "key_invalid")
    assert "country,code" in answer.json()["detail"]


async def test_rows_with_composite_keys_are_made_changed_and_deleted(app: App) -> None:
    """The key is given, and is what Location names."""
    made = await app.client.post("/api/v1/order%20line", json={"order": 2, "line/no": "x/y,z", "qty": "1.25"})

    assert made.status_code == 201, made.text
    path = made.headers["location"]
    assert path == "/api/v1/order%20line/2,x%2Fy%2Cz"
    changed = await app.client.patch(path, json={"qty": 2})
    assert changed.json()["data"] == {"order": 2, "line/no": "x/y,z", "qty": 2.0}
    again = await app.client.post("/api/v1/order%20line", json={"order": 2, "line/no": "x/y,z", "qty": 1})
    assert (again.status_code, again.json()["code"]) == (409, "duplicate")
    orphan = await app.client.post("/api/v1/order%20line", json={"order": 99, "line/no": "1", "qty": 1})
    assert (orphan.status_code, orphan.json()["code"]) == (409, "reference_missing")
    assert (await app.client.delete(path)).status_code == 204
    assert (await app.client.get(path)).status_code == 404


async def test_declared_foreign_keys_are_relationships_in_both_directions(app: App) -> None:
    """Two that lead to one table, one that leads to its own, one of two columns; each with a name of its own."""
    tables = app.parts.keeper.service().catalog.resources
    lines = (await app.json("order/1"))["links"]

    targets = {name: edge.target for name, edge in tables["order"].relationships.items()}
    assert sorted(targets.values()) == ["Kunde", "Kunde", "order line"]
    assert sorted(edge.target for edge in tables["Kunde"].relationships.values()) == [
        "Kunde",
        "Kunde",
        "order",
        "order",
        "region",
    ]
    found = {}
    for name, link in lines.items():
        if name != "self":
            found[name] = (await app.client.get(link)).json()["data"]
    assert {row["Name"] for row in found.values() if isinstance(row, dict)} == {"Erste", "Zweite"}
    (children,) = [rows for rows in found.values() if isinstance(rows, list)]
    assert [row["line/no"] for row in children] == ["a/1", "b,2"]


async def test_a_reference_to_the_same_table_leads_up_and_down(app: App) -> None:
    """The customer who brought another one, and those whom one brought."""
    edges = app.parts.keeper.service().catalog.resources["Kunde"].relationships
    (up,) = [name for name, edge in edges.items() if edge.target == "Kunde" and not edge.is_to_many]
    (down,) = [name for name, edge in edges.items() if edge.target == "Kunde" and edge.is_to_many]

    assert (await app.json(f"Kunde/2/{up}"))["data"]["Name"] == "Erste"
    assert (await app.get(f"Kunde/1/{up}")).json()["code"] == "row_unknown"
    assert [row["Id"] for row in (await app.json(f"Kunde/1/{down}"))["data"]] == [2, 3]
    assert (await app.json(f"customers/1/{down}"))["links"]["self"].startswith(f"/api/v1/Kunde/1/{down}?")


async def test_a_reference_of_two_columns_leads_to_its_row(app: App) -> None:
    """Both columns count, and a null in them means no row."""
    edges = app.parts.keeper.service().catalog.resources["Kunde"].relationships
    (name,) = [name for name, edge in edges.items() if edge.target == "region"]

    assert (await app.json(f"Kunde/1/{name}"))["data"]["name"] == "Wien"
    assert (await app.get(f"Kunde/3/{name}")).status_code == 404


async def test_a_view_is_read_and_never_written(app: App) -> None:
    """Its rows have no key, so they are listed; what writes is refused with the reason."""
    body = await app.json("big%20orders?filter[100%25.gt]=60&sort=-key")

    assert body["data"] == [{"key": 1, "from": 1, "100%": 99}]
    for method, path in (("POST", "big%20orders"), ("PATCH", "big%20orders/1"), ("DELETE", "big%20orders/1")):
        answer = await app.client.request(method, f"/api/v1/{path}", json={})
        assert (answer.status_code, answer.json()["code"]) == (405, "write_not_supported")
        assert "view" in answer.json()["detail"]


async def test_a_table_without_a_key_is_listed_and_takes_rows(app: App, mariadb_server: Server, database: str) -> None:
    """No row of it can be addressed; a new one has no Location."""
    assert len((await app.json("keyless?per_page=2"))["data"]) == 2
    assert (await app.json("keyless?sort=-a,b"))["meta"]["total"] == 3
    one = await app.get("keyless/1")
    assert (one.status_code, one.json()["code"], one.headers["allow"]) == (405, "key_missing", "GET, HEAD, OPTIONS")
    made = await app.client.post("/api/v1/keyless", json={"a": 9, "b": "nine"})
    mariadb_server.run("DELETE FROM keyless WHERE a = 9", database=database.rpartition("/")[2])

    assert made.status_code == 201, made.text
    assert "location" not in made.headers


async def test_a_unique_column_named_as_key_is_one(app: App) -> None:
    """The whitelist says what tells the rows apart."""
    path = "/api/v1/unique_only/se%2Fco%2Cnd"
    answer = await app.client.get(path)

    assert answer.json()["data"] == {"slug": "se/co,nd", "n": 2}
    assert (await app.client.patch(path, json={"n": 3})).json()["data"]["n"] == 3
    assert (await app.client.patch(path, json={"n": 2, "slug": "se/co,nd"})).status_code == 200
    renamed = await app.client.patch(path, json={"slug": "other"})
    assert renamed.status_code == 422


async def test_secrets_are_hidden_in_every_database(app: App) -> None:
    """By the built-in patterns, in any case, with no profile at all."""
    assert (await app.json("secret_things"))["data"] == [{"id": 1, "shown": 5}]
    for name in ("API_Token", "API_Tokex"):
        assert (await app.get(f"secret_things?fields={name}")).json()["code"] == "field_unknown"


async def test_deleting_what_others_refer_to_is_a_conflict(app: App) -> None:
    """The rows that depend are named; nothing is deleted."""
    answer = await app.client.delete("/api/v1/Kunde/1")

    assert (answer.status_code, answer.json()["code"]) == (409, "dependants"), answer.text
    assert (await app.get("Kunde/1")).status_code == 200


async def test_names_are_told_apart_by_case(app: App) -> None:
    """The resource is called as the table is, and its fields as its columns are."""
    assert (await app.get("kunde")).status_code == 404
    assert (await app.get("Kunde?fields=name")).status_code == 400
    assert (await app.get("Kunde?fields=Name")).status_code == 200
