"""The whitelist's text becomes an exposure, or every mistake in it is told with its place."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import gateway.catalog.whitelist as whitelist_module
from gateway.catalog.exposure import Exposure, TableExposure
from gateway.catalog.kinds import KINDS
from gateway.catalog.whitelist import MAX_BYTES, OVERRIDING_KINDS, load_whitelist, parse_whitelist
from gateway.catalog.yaml_nodes import NodeLoader
from gateway.errors import ConfigurationError

ROOT = Path(__file__).parents[3]
SCHEMA: Any = json.loads(Path(whitelist_module.__file__).with_name("whitelist.schema.json").read_text())
HEAD = "version: 1\nprofile: perfex\n"


def parse(text: str) -> Exposure:
    """Return the exposure of a text called whitelist.yaml."""
    return parse_whitelist(text, "whitelist.yaml")


def table(text: str) -> TableExposure:
    """Return what is said of one table, `t`, by the lines below its name."""
    return parse(f"{HEAD}tables:\n  t:\n" + "".join(f"    {line}\n" for line in text.splitlines())).tables[0]


def complaints(text: str) -> tuple[str, ...]:
    """Return the mistakes of a text without the file's name."""
    with pytest.raises(ConfigurationError) as caught:
        parse(text)
    return tuple(problem.removeprefix("whitelist.yaml:") for problem in caught.value.problems)


def texts(names: Any) -> tuple[str, ...]:
    return tuple(name.text for name in names)


def test_the_top_of_a_whitelist() -> None:
    """Profile, prefix and patterns are read; `none` means no profile."""
    found = parse('version: 1\nprofile: none\nprefix: ""\nhide: [iban, "x_*"]\ntables: {a: , b: {}}')

    assert (found.profile, found.prefix, texts(found.hide_patterns)) == (None, "", ("iban", "x_*"))
    assert texts(item.name for item in found.tables) == ("a", "b")
    assert parse(HEAD + "tables: [a]").prefix is None


def test_a_whitelist_may_have_a_budget_of_its_own() -> None:
    """0 is any number of rows; without the key the setting decides."""
    assert parse(HEAD + "max_examined_rows: 1000000\ntables: [a]").max_examined_rows == 1_000_000
    assert parse(HEAD + "max_examined_rows: 0\ntables: [a]").max_examined_rows == 0
    assert parse(HEAD + "tables: [a]").max_examined_rows is None


def test_tables_may_be_a_plain_list() -> None:
    """Nothing needs to be said of a table, and each knows where it stands."""
    found = parse(HEAD + "tables:\n  - invoices\n  - clients\n")

    assert [(item.name.text, str(item.name.mark)) for item in found.tables] == [
        ("invoices", "whitelist.yaml:4:5"),
        ("clients", "whitelist.yaml:5:5"),
    ]


def test_everything_that_can_be_said_of_a_table() -> None:
    """Each key lands in its place."""
    found = table(
        "alias: one\naliases: [two, three]\nhide: a\nexpose_sensitive: [b]\nread_only: [c, d]\nkey: [e, f]\n"
        "search: [g]\nkinds: {h: html}\njson: [i]\nunsafe_writes: true\non_delete: forbid\ndeprecated: {j: Use k.}"
    )

    assert texts(found.aliases) == ("one", "two", "three")
    assert (texts(found.hide), texts(found.expose_sensitive)) == (("a",), ("b",))
    assert (texts(found.read_only), found.is_writable) == (("c", "d"), True)
    assert (texts(found.key), texts(found.search)) == (("e", "f"), ("g",))
    assert {column: kind.text for column, kind in found.kinds.items()} == {"h": "html", "i": "json"}
    assert str(found.kind_marks["h"]) == "whitelist.yaml:12:13"
    assert found.is_unsafe_writable
    assert found.is_delete_forbidden
    assert [(name.text, str(name.mark), reason) for name, reason in found.deprecated] == [
        ("j", "whitelist.yaml:16:18", "Use k.")
    ]


def test_a_whole_resource_can_be_deprecated() -> None:
    """By the reason alone."""
    found = table("deprecated: Use clients.")

    assert (found.deprecation, found.deprecated) == ("Use clients.", ())


@pytest.mark.parametrize(("value", "is_writable"), [("true", False), ("false", True)])
def test_a_whole_table_can_be_read_only(value: str, is_writable: bool) -> None:
    """`read_only: true` closes the table."""
    assert table(f"read_only: {value}").is_writable is is_writable


def test_relationships_in_their_short_and_long_form() -> None:
    """`to` is table.column, or a mapping for several columns."""
    short, long = table(
        "relationships:\n"
        "  author: {column: by, to: staff.staffid, when: \"kind='x'\", reverse: written}\n"
        "  place: {columns: [country, zip], to: {table: places, columns: [c, z]}}"
    ).relationships

    assert (short.name.text, texts(short.columns), short.target.text) == ("author", ("by",), "staff")
    assert (texts(short.target_columns), short.when, str(short.when_mark)) == (
        ("staffid",),
        "kind='x'",
        "whitelist.yaml:6:53",
    )
    assert short.reverse is not None
    assert short.reverse.text == "written"
    assert (texts(long.columns), long.target.text, texts(long.target_columns)) == (
        ("country", "zip"),
        "places",
        ("c", "z"),
    )
    assert (long.when, long.when_mark, long.reverse) == ("", None, None)


def test_words_that_yaml_turns_into_other_things_are_text() -> None:
    """A column called `no` or a table called 012 keeps its name (ECOSYSTEM 3.4)."""
    found = parse(HEAD + "tables:\n  on: {hide: [no, off, yes, 1:30, 012, 2026-01-01, 0x1F, 1_000]}\n  012:\n  true:\n")

    assert texts(item.name for item in found.tables) == ("on", "012", "true")
    assert texts(found.tables[0].hide) == ("no", "off", "yes", "1:30", "012", "2026-01-01", "0x1F", "1_000")


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    """One look at the list is enough to mend the file."""
    assert complaints("version: 2\nprofil: perfex\ntables:\n  invoices:\n    hidee: x\n    read_only: 3\n") == (
        "1:1 the key profile is missing; write `profile: perfex`, or `profile: none` elsewhere",
        "1:10 version must be 1",
        '2:1 unknown key "profil" in the whitelist; did you mean "profile"?',
        '5:5 unknown key "hidee" in table invoices; did you mean "hide"?',
        "6:16 each entry of read_only must be text; write it in quotes: '3'",
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "1:1 a whitelist is a mapping that begins with `version: 1`"),
        ("- a", "1:1 a whitelist is a mapping that begins with `version: 1`"),
        ("tables:\n\t- a", "2:1 a tab cannot indent YAML; use spaces"),
        ("a: 'x", "1:6 a quote is opened and never closed"),
        ("a: [1,\nb", "2:2 a bracket or brace is opened and not closed, or a comma is missing"),
        ("a: b: c", "1:5 a colon is not expected here"),
        ("a: 1\n  b: 2", "2:4 a colon is not expected here"),
        ("a:\n   b: 1\n  c: 2", "3:3 the indentation does not match the lines above"),
        ("a: @b", "1:4 a text cannot begin with this character; put it into quotes"),
        ("a\nb", "a whitelist is a mapping"),
        ("a: \x01", "1:4 the control character '\\x01' cannot stand in YAML"),
        ("a: 1\n---\nb: 2", "2:1 a second document begins here"),
        ("a: " + "[" * 5_000, "1:23 nested deeper than 20 levels"),
        (HEAD + "tables: {a: , a: }", '3:15 "a" is given twice, first in line 3'),
        (HEAD + "tables: &x [a]", "3:9 anchors and aliases"),
        (HEAD + "tables: {a: *x}", "3:13 anchors and aliases"),
        (HEAD + "tables: !!python/name:os.system ''", "3:9 tags (tag:yaml.org,2002:python/name:os.system)"),
        (HEAD + "tables: []", "3:9 tables names nothing"),
        (HEAD + "tables: {}", "3:9 tables must name at least one table"),
        (HEAD + "tables:", "3:8 tables must name at least one table"),
        (HEAD + "tables: [a, a]", '3:13 "a" is named twice in tables'),
        (HEAD + "tables: [{a: }]", "3:10 each entry of tables must be text"),
        (HEAD + "tables: {[a]: }", "3:10 a table must be a name"),
        (HEAD + "tables: {a: 1}", "3:13 what is said of a must be a mapping, or nothing"),
        (HEAD, "1:1 the key tables is missing"),
        ("version: 1\nprofile: perfx\ntables: [a]", '2:10 profile must be perfex or none; did you mean "perfex"?'),
        ("version: 1\nprofile:\ntables: [a]", "2:9 profile must be perfex or none"),
        ("version: '1'\nprofile: none\ntables: [a]", "1:10 version must be 1"),
        (HEAD + "prefix: 3\ntables: [a]", "3:9 the prefix must be text; write it in quotes: '3'"),
        (HEAD + "max_examined_rows: 1e6\ntables: [a]", "3:20 max_examined_rows must be a whole number, 0 for no limit"),
        (HEAD + "max_examined_rows: -1\ntables: [a]", "3:20 max_examined_rows must be a whole number, 0 for no limit"),
        (HEAD + 'hide: [""]\ntables: [a]', "3:8 each entry of hide must not be empty"),
        (HEAD + "tables: {a: {read_only: yes}}", "3:25 read_only must be true or false"),
        (HEAD + "tables: {a: {unsafe_writes: 1}}", "3:29 unsafe_writes must be true or false"),
        (HEAD + "tables: {a: {on_delete: cascade}}", "3:25 on_delete must be forbid"),
        (HEAD + "tables: {a: {deprecated: [c]}}", "3:26 deprecated must be a mapping with at least one entry"),
        (HEAD + "tables: {a: {deprecated: {c: 1}}}", "3:30 the reason of c must be text; write it in quotes: '1'"),
        (HEAD + "tables: {a: {alias: graphql}}", '3:21 "graphql" is a path of the gateway itself'),
        (HEAD + "tables: {a: {alias: a b}}", '3:21 "a b" cannot be an alias'),
        (HEAD + "tables: {a: {kinds: {c: jsn}}}", "3:25 the kind must be string, html"),
        (HEAD + "tables: {a: {kinds: }}", "3:20 kinds must be a mapping with at least one entry"),
        (HEAD + "tables: {a: {json: c, kinds: {c: html}}}", '3:31 the kind of "c" is given twice'),
        (HEAD + "tables: {a: {relationships: {r: x}}}", "3:33 relationship r must say `column:` and `to:`"),
        (HEAD + "tables: {a: {relationships: {r s: {column: c, to: t.u}}}}", "3:30 a relationship's name is made of"),
        (HEAD + "tables: {a: {relationships: {r: {to: t.u}}}}", "3:33 relationship r needs either `column:`"),
        (HEAD + "tables: {a: {relationships: {r: {column: c}}}}", "3:33 relationship r needs `to: table.column`"),
        (
            HEAD + "tables: {a: {relationships: {r: {column: c, to: t}}}}",
            "3:49 relationship r needs `to: table.column`",
        ),
        (
            HEAD + "tables: {a: {relationships: {r: {column: c, to: {columns: c}}}}}",
            "`to` of relationship r needs `table:`",
        ),
        (
            HEAD + "tables: {a: {relationships: {r: {columns: [c, d], to: t.u}}}}",
            "3:33 relationship r pairs 2 columns with 1",
        ),
        (
            HEAD + "tables: {a: {relationships: {r: {column: c, to: t.u, reverse: 'x y'}}}}",
            "reverse is made of letters, digits and _",
        ),
    ],
)
def test_each_mistake_says_where_it_is_and_what_to_do(text: str, complaint: str) -> None:
    """Form and syntax alike, line and column first."""
    assert any(complaint in found for found in complaints(text)), complaints(text)


def test_a_file_that_is_too_large_is_not_read() -> None:
    """A whitelist is written by hand; a megabyte is a mistake."""
    assert complaints("#" * (MAX_BYTES + 1)) == ("1:1 the file is larger than 1,000,000 characters",)


def test_a_file_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    """The first thing a new user may meet."""
    with pytest.raises(ConfigurationError, match="gateway init"):
        load_whitelist(tmp_path / "whitelist.yaml")


def test_a_file_in_another_encoding_is_told_where(tmp_path: Path) -> None:
    """The byte's place is given; a byte-order mark is no offence."""
    path = tmp_path / "w.yaml"
    path.write_bytes(b"version: 1\nprefix: \xe4")
    with pytest.raises(ConfigurationError, match="2:9 this byte is not UTF-8"):
        load_whitelist(path)

    path.write_bytes(b"\xef\xbb\xbf" + (HEAD + "tables: [a]").encode())
    assert load_whitelist(path).file == str(path)


@given(st.text(alphabet="ab:-[]{}#&*!|>'\"%@`, \n\t1", max_size=60))
def test_any_text_is_an_exposure_or_a_list_of_mistakes(text: str) -> None:
    """Nothing else ever comes out, whatever stands in the file."""
    try:
        found = len(parse(text).tables)
    except ConfigurationError as error:
        found = len(error.problems)

    assert found > 0


SAME = [
    HEAD + "tables: [a, b]",
    HEAD + "tables: a",
    HEAD + "tables: {a: , b: {}}",
    HEAD + "prefix: tbl\nhide: [x, '*y']\ntables: [a]",
    HEAD + "prefix: ''\ntables: [a]",
    HEAD + "max_examined_rows: 0\ntables: [a]",
    HEAD + "tables: {a: {alias: b, aliases: [c], hide: d, read_only: true, key: [e], search: f, json: g}}",
    HEAD + "tables: {a: {read_only: [x], kinds: {c: html, d: php_list}, unsafe_writes: false, on_delete: forbid}}",
    HEAD + "tables: {a: {read_only: [yes]}}",
    HEAD + "tables: {a: {deprecated: Use b.}}",
    HEAD + "tables: {a: {deprecated: {c: Use d., e: 'Gone, soon.'}}}",
    HEAD + "tables: {a: {relationships: {r: {column: c, to: t.u, when: x=1, reverse: s}}}}",
    HEAD + "tables: {a: {relationships: {r: {columns: [c, d], to: {table: t.x, columns: [u, v]}}}}}",
    HEAD + "tables: {a: {relationships: {r: {columns: c, to: {table: t, column: u}}}}}",
    "version: 1\nprofile: none\ntables: [a]",
    # refused by both
    "",
    "a",
    "[]",
    HEAD,
    "version: 2\nprofile: none\ntables: [a]",
    "version: '1'\nprofile: none\ntables: [a]",
    "version: 1\nprofile: other\ntables: [a]",
    "version: 1\nprofile:\ntables: [a]",
    "version: 1\ntables: [a]",
    "profile: none\ntables: [a]",
    HEAD + "tables: {}",
    HEAD + "tables: []",
    HEAD + "tables:",
    HEAD + "tables: [a, a]",
    HEAD + "tables: [1]",
    HEAD + "tables: ['']",
    HEAD + "tables: [{a: }]",
    HEAD + "tables: {a: 1}",
    HEAD + "tables: {a: []}",
    HEAD + "tables: {'': }",
    HEAD + "extra: 1\ntables: [a]",
    HEAD + "prefix: 1\ntables: [a]",
    HEAD + "prefix:\ntables: [a]",
    HEAD + "max_examined_rows: '5'\ntables: [a]",
    HEAD + "max_examined_rows: -5\ntables: [a]",
    HEAD + "max_examined_rows:\ntables: [a]",
    HEAD + "hide:\ntables: [a]",
    HEAD + "tables: {a: {hide: []}}",
    HEAD + "tables: {a: {hide: [x, x]}}",
    HEAD + "tables: {a: {hide: true}}",
    HEAD + "tables: {a: {hide: {b: c}}}",
    HEAD + "tables: {a: {hidee: x}}",
    HEAD + "tables: {a: {alias: 1a}}",
    HEAD + "tables: {a: {alias: query}}",
    HEAD + "tables: {a: {alias: openapi.json}}",
    HEAD + "tables: {a: {read_only: yes}}",
    HEAD + "tables: {a: {read_only: 1}}",
    HEAD + "tables: {a: {read_only: }}",
    HEAD + "tables: {a: {kinds: {c: text}}}",
    HEAD + "tables: {a: {kinds: {}}}",
    HEAD + "tables: {a: {kinds: c}}",
    HEAD + "tables: {a: {unsafe_writes: yes}}",
    HEAD + "tables: {a: {on_delete: cascade}}",
    HEAD + "tables: {a: {on_delete: }}",
    HEAD + "tables: {a: {deprecated: }}",
    HEAD + "tables: {a: {deprecated: ''}}",
    HEAD + "tables: {a: {deprecated: true}}",
    HEAD + "tables: {a: {deprecated: [c]}}",
    HEAD + "tables: {a: {deprecated: {}}}",
    HEAD + "tables: {a: {deprecated: {c: }}}",
    HEAD + "tables: {a: {deprecated: {c: 1}}}",
    HEAD + "tables: {a: {deprecated: {c: [d]}}}",
    HEAD + "tables: {a: {relationships: {}}}",
    HEAD + "tables: {a: {relationships: {r: }}}",
    HEAD + "tables: {a: {relationships: {'r s': {column: c, to: t.u}}}}",
    HEAD + "tables: {a: {relationships: {r: {to: t.u}}}}",
    HEAD + "tables: {a: {relationships: {r: {column: c}}}}",
    HEAD + "tables: {a: {relationships: {r: {column: c, columns: [d], to: t.u}}}}",
    HEAD + "tables: {a: {relationships: {r: {column: c, to: t}}}}",
    HEAD + "tables: {a: {relationships: {r: {column: c, to: t.u.v}}}}",
    HEAD + "tables: {a: {relationships: {r: {column: c, to: .u}}}}",
    HEAD + "tables: {a: {relationships: {r: {column: c, to: {table: t}}}}}",
    HEAD + "tables: {a: {relationships: {r: {column: c, to: {column: t}}}}}",
    HEAD + "tables: {a: {relationships: {r: {column: c, to: t.u, when: ''}}}}",
    HEAD + "tables: {a: {relationships: {r: {column: c, to: t.u, reverse: 'x y'}}}}",
    HEAD + "tables: {a: {relationships: {r: {column: c, to: t.u, wen: x}}}}",
]


@pytest.mark.parametrize("text", SAME)
def test_editors_and_the_gateway_agree_on_every_file(text: str) -> None:
    """The JSON Schema accepts and refuses what the parser does."""
    assert is_accepted_by_schema(text) == is_parsed(text)


def is_parsed(text: str) -> bool:
    try:
        parse(text)
    except ConfigurationError:
        return False
    return True


def is_accepted_by_schema(text: str) -> bool:
    loader = NodeLoader(text, "whitelist.yaml")
    data = loader.get_single_data()
    return not any(jsonschema.Draft202012Validator(SCHEMA).iter_errors(data))


def test_the_schema_is_one_and_knows_every_kind() -> None:
    """It is valid itself, and its kinds are those of the parser."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    assert SCHEMA["$defs"]["kind"]["enum"] == list(OVERRIDING_KINDS)
    assert set(OVERRIDING_KINDS) <= set(KINDS)


def test_every_example_of_the_documentation_is_accepted() -> None:
    """Nobody copies a mistake from the docs, and every key stands in them."""
    page = (ROOT / "docs" / "whitelist.md").read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", page, re.S)

    assert len(examples) >= 5
    for example in examples:
        assert parse(example).tables
        assert is_accepted_by_schema(example)
    for key in (*SCHEMA["properties"], *SCHEMA["$defs"]["table"]["properties"]):
        assert f"`{key}`" in page


def test_the_whitelist_of_this_project_is_accepted() -> None:
    """By the parser, by the schema, and by any other reader of YAML alike."""
    path = ROOT / "whitelist.yaml"
    found = load_whitelist(path)
    text = path.read_text(encoding="utf-8")

    assert is_accepted_by_schema(text)
    assert list(yaml.safe_load(text)["tables"]) == [item.name.text for item in found.tables]
