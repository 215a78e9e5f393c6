"""whitelist.yaml -> `Exposure`.

What comes in: the text of the file. What goes out: a typed exposure whose names
carry their marks, or one `ConfigurationError` with every mistake. Only the form of
the file is judged here; whether a table or a column exists is `catalog.build`'s
question. `whitelist.schema.json` says the same to editors and is tested against
this module; docs/whitelist.md explains every key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import yaml

from gateway.catalog.exposure import Exposure, Mark, Name, Problem, RelationshipExposure, TableExposure
from gateway.catalog.naming import RESERVED, suggestion
from gateway.catalog.yaml_nodes import BOOL, FLOAT, INT, NULL, compose, mark_of
from gateway.errors import ConfigurationError

MAX_BYTES: Final = 1_000_000
VERSION: Final = 1

OVERRIDING_KINDS: Final = ("string", "html", "multiline", "php_list", "json", "integer", "flag")
"""Kinds a whitelist may give a column: those that need no more than the stored value to be read."""

_TOP_KEYS: Final = ("version", "profile", "prefix", "hide", "max_examined_rows", "tables")
_TABLE_KEYS: Final = (
    *("alias", "aliases", "hide", "expose_sensitive", "read_only", "key", "search", "kinds", "json"),
    *("relationships", "unsafe_writes", "on_delete", "deprecated"),
)
_RELATIONSHIP_KEYS: Final = ("column", "columns", "to", "when", "reverse")
_TARGET_KEYS: Final = ("table", "column", "columns")
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_ALIAS: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


class WhitelistError(ConfigurationError):
    """A whitelist is wrong; ``exposure`` is what could be read of it, for the mistakes against the database."""

    def __init__(self, file: str, found: Iterable[Problem], exposure: Exposure | None = None) -> None:
        self.found = tuple(dict.fromkeys(sorted(found, key=lambda problem: (problem.mark.line, problem.mark.column))))
        self.file = file
        self.exposure = exposure
        super().__init__(f"The whitelist {file} is not usable:", map(str, self.found))

    def with_more(self, found: Iterable[Problem]) -> WhitelistError:
        """Return the error with further mistakes, all in the order of the file."""
        return WhitelistError(self.file, (*self.found, *found))


def load_whitelist(path: str | Path) -> Exposure:
    """Return the exposure of a whitelist file.

    Raises:
        ConfigurationError: the file cannot be read.
        WhitelistError: it says something wrong; every mistake is listed.
    """
    name = str(path)
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        advice = "make one with `gateway init`, or name another with GATEWAY_WHITELIST"
        raise ConfigurationError(f"{name} cannot be read ({error.strerror}); {advice}.") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        mark = Mark(name, before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        raise WhitelistError(name, [Problem(mark, "this byte is not UTF-8; save the file as UTF-8")]) from None
    return parse_whitelist(text, name)


def parse_whitelist(text: str, file: str) -> Exposure:
    r"""Return the exposure a whitelist's text declares; ``file`` is what its marks say.

    >>> exposure = parse_whitelist("version: 1\nprofile: perfex\ntables: [invoices]", "whitelist.yaml")
    >>> exposure.tables[0].name.text, str(exposure.tables[0].name.mark)
    ('invoices', 'whitelist.yaml:3:10')

    Raises:
        WhitelistError: listing every mistake with its line and column.
    """
    problems: list[Problem] = []
    if len(text) > MAX_BYTES:
        raise WhitelistError(file, [Problem(Mark(file, 1, 1), f"the file is larger than {MAX_BYTES:,} characters")])
    root = compose(text, file, problems)
    exposure = None
    if root is not None or not problems:
        exposure = _Reader(file, problems).exposure(root)
    if problems or exposure is None:
        raise WhitelistError(file, problems, exposure)
    return exposure


class _Reader:
    """Walks the nodes, turning each into what it declares and noting what it cannot."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self._file = file
        self._problems = problems

    # what stands where

    def exposure(self, root: yaml.Node | None) -> Exposure | None:
        if not isinstance(root, yaml.MappingNode):
            mark = mark_of(root, self._file) if root is not None else Mark(self._file, 1, 1)
            self._problems.append(Problem(mark, "a whitelist is a mapping that begins with `version: 1`"))
            return None
        keys = self._keys(root, _TOP_KEYS, "the whitelist")
        self._version(keys.get("version"), root)
        profile, prefix = self._profile(keys.get("profile"), root), keys.get("prefix")
        return Exposure(
            file=self._file,
            profile=profile,
            prefix=None if prefix is None else self._text(prefix, "the prefix", may_be_empty=True),
            tables=self._tables(keys.get("tables"), root),
            hide_patterns=self._names(keys.get("hide"), "hide"),
            max_examined_rows=self._number(keys.get("max_examined_rows"), "max_examined_rows"),
        )

    def _version(self, node: yaml.Node | None, root: yaml.Node) -> None:
        if node is None:
            self._complain(root, f"the key version is missing; write `version: {VERSION}`")
        elif not isinstance(node, yaml.ScalarNode) or node.tag != INT or node.value != str(VERSION):
            self._complain(node, f"version must be {VERSION}")

    def _profile(self, node: yaml.Node | None, root: yaml.Node) -> str | None:
        if node is None:
            self._complain(root, "the key profile is missing; write `profile: perfex`, or `profile: none` elsewhere")
            return None
        text = self._choice(node, ("perfex", "none"), "profile")
        return None if text == "none" else text

    def _tables(self, node: yaml.Node | None, root: yaml.Node) -> tuple[TableExposure, ...]:
        if node is None:
            self._complain(root, "the key tables is missing; it names the tables to serve")
        elif isinstance(node, yaml.SequenceNode):
            return tuple(TableExposure(name) for name in self._names(node, "tables"))
        elif not isinstance(node, yaml.MappingNode) or not node.value:
            self._complain(node, "tables must name at least one table, as a mapping or a list")
        else:
            return tuple(self._table(name, value) for name, value in self._entries(node, "a table"))
        return ()

    def _table(self, name: Name, node: yaml.Node) -> TableExposure:
        if _is_null(node):
            return TableExposure(name)
        if not isinstance(node, yaml.MappingNode):
            self._complain(node, f"what is said of {name.text} must be a mapping, or nothing")
            return TableExposure(name)
        keys = self._keys(node, _TABLE_KEYS, f"table {name.text}")
        kinds, kind_marks = self._kinds(keys)
        read_only = keys.get("read_only")
        is_switch = _is_switch(read_only)
        deprecated, deprecation = self._deprecated(keys.get("deprecated"))
        return TableExposure(
            name,
            aliases=self._aliases(keys),
            hide=self._names(keys.get("hide"), "hide"),
            expose_sensitive=self._names(keys.get("expose_sensitive"), "expose_sensitive"),
            read_only=() if is_switch else self._names(read_only, "read_only"),
            key=self._names(keys.get("key"), "key"),
            search=self._names(keys.get("search"), "search"),
            kinds=kinds,
            kind_marks=kind_marks,
            relationships=tuple(self._relationships(keys.get("relationships"))),
            is_writable=not (is_switch and self._switch(read_only, "read_only")),
            is_unsafe_writable=self._switch(keys.get("unsafe_writes"), "unsafe_writes"),
            is_delete_forbidden="on_delete" in keys and self._choice(keys["on_delete"], ("forbid",), "on_delete") != "",
            deprecated=deprecated,
            deprecation=deprecation,
        )

    def _deprecated(self, node: yaml.Node | None) -> tuple[tuple[tuple[Name, str], ...], str]:
        """The fields to leave with the reason of each, or the reason to leave the whole resource."""
        if node is None:
            return (), ""
        if isinstance(node, yaml.ScalarNode):
            return (), self._text(node, "deprecated")
        entries = self._mapping(node, "deprecated", "a field")
        return tuple((name, self._text(value, f"the reason of {name.text}")) for name, value in entries), ""

    def _aliases(self, keys: Mapping[str, yaml.Node]) -> tuple[Name, ...]:
        named = self._names(keys.get("alias"), "alias") + self._names(keys.get("aliases"), "aliases")
        for name in named:
            if name.text in RESERVED:
                self._note(name, f'"{name.text}" is a path of the gateway itself; choose another alias')
            elif not _ALIAS.fullmatch(name.text):
                self._note(name, f'"{name.text}" cannot be an alias; use letters, digits, - and _, a letter first')
        return named

    def _kinds(self, keys: Mapping[str, yaml.Node]) -> tuple[dict[str, Name], dict[str, Mark]]:
        named = [(name, Name("json", name.mark)) for name in self._names(keys.get("json"), "json")]
        for column, node in self._mapping(keys.get("kinds"), "kinds", "a column"):
            named.append((column, Name(self._choice(node, OVERRIDING_KINDS, "the kind"), self._mark(node))))
        kinds: dict[str, Name] = {}
        for column, kind in named:
            if column.text in kinds:
                self._note(column, f'the kind of "{column.text}" is given twice, under json and under kinds')
            kinds[column.text] = kind
        return kinds, {column.text: column.mark for column, _ in named}

    def _relationships(self, node: yaml.Node | None) -> Iterator[RelationshipExposure]:
        for name, value in self._mapping(node, "relationships", "a relationship"):
            self._identifier(name, "a relationship's name")
            if not isinstance(value, yaml.MappingNode):
                self._complain(value, f"relationship {name.text} must say `column:` and `to:`")
                continue
            yield self._relationship(name, value)

    def _relationship(self, name: Name, node: yaml.MappingNode) -> RelationshipExposure:
        where = f"relationship {name.text}"
        keys = self._keys(node, _RELATIONSHIP_KEYS, where)
        columns = self._columns(keys, node, where)
        target, target_columns = self._target(keys.get("to"), node, where)
        if columns and target_columns and len(columns) != len(target_columns):
            self._complain(
                node, f"{where} pairs {len(columns)} columns with {len(target_columns)}; name as many of each"
            )
        when, reverse = keys.get("when"), keys.get("reverse")
        reverse_name = None
        if reverse is not None:
            reverse_name = Name(self._text(reverse, "reverse"), self._mark(reverse))
            self._identifier(reverse_name, "reverse")
        return RelationshipExposure(
            name,
            columns=columns,
            target=target,
            target_columns=target_columns,
            when="" if when is None else self._text(when, "when"),
            when_mark=None if when is None else self._mark(when),
            reverse=reverse_name,
        )

    def _columns(self, keys: Mapping[str, yaml.Node], node: yaml.Node, where: str) -> tuple[Name, ...]:
        if ("column" in keys) == ("columns" in keys):
            self._complain(node, f"{where} needs either `column:` or `columns:`")
        column, columns = keys.get("column"), keys.get("columns")
        if column is not None:
            return (Name(self._text(column, "column"), self._mark(column)),)
        return self._names(columns, "columns")

    def _target(self, node: yaml.Node | None, parent: yaml.Node, where: str) -> tuple[Name, tuple[Name, ...]]:
        mark = self._mark(node if node is not None else parent)
        if isinstance(node, yaml.MappingNode):
            keys = self._keys(node, _TARGET_KEYS, f"`to` of {where}")
            table = keys.get("table")
            if table is None:
                self._complain(node, f"`to` of {where} needs `table:`")
                return Name("", mark), self._columns(keys, node, f"`to` of {where}")
            return Name(self._text(table, "table"), self._mark(table)), self._columns(keys, node, f"`to` of {where}")
        text = self._text(node, "to") if node is not None else ""
        table_name, dot, column_name = text.partition(".")
        if not (table_name and dot and column_name) or "." in column_name:
            self._problems.append(
                Problem(mark, f"{where} needs `to: table.column`, or `to:` with `table:` and `columns:`")
            )
        return Name(table_name, mark), (Name(column_name, mark),) if column_name else ()

    # what a node is

    def _keys(self, node: yaml.MappingNode, known: tuple[str, ...], where: str) -> dict[str, yaml.Node]:
        """The values of a mapping by key; a key nobody knows is a mistake."""
        keys: dict[str, yaml.Node] = {}
        for name, value in self._entries(node, "a key"):
            if name.text in known:
                keys.setdefault(name.text, value)
                continue
            hint = suggestion(name.text, known) or f"; known are {', '.join(known)}"
            self._note(name, f'unknown key "{name.text}" in {where}{hint}')
        return keys

    def _mapping(self, node: yaml.Node | None, where: str, what: str) -> Iterator[tuple[Name, yaml.Node]]:
        if isinstance(node, yaml.MappingNode) and node.value:
            yield from self._entries(node, what)
        elif node is not None:
            self._complain(node, f"{where} must be a mapping with at least one entry")

    def _entries(self, node: yaml.MappingNode, what: str) -> Iterator[tuple[Name, yaml.Node]]:
        """The pairs of a mapping, duplicates and keys that are no names left out."""
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or not key.value:
                self._complain(key, f"{what} must be a name")
            elif key.value not in seen:  # a second one is reported where the file is read
                seen.add(key.value)
                yield Name(key.value, self._mark(key)), value

    def _names(self, node: yaml.Node | None, where: str) -> tuple[Name, ...]:
        """One name or a list of them, each once."""
        if node is None:
            return ()
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not items:
            self._complain(node, f"{where} names nothing; leave the key out")
        named: dict[str, Name] = {}
        for item in items:
            text = self._text(item, f"each entry of {where}")
            if text in named:
                self._complain(item, f'"{text}" is named twice in {where}')
            elif text:
                named[text] = Name(text, self._mark(item))
        return tuple(named.values())

    def _text(self, node: yaml.Node, where: str, *, may_be_empty: bool = False) -> str:
        if not isinstance(node, yaml.ScalarNode) or node.tag in (NULL, BOOL, INT, FLOAT):
            hint = f"; write it in quotes: '{node.value}'" if isinstance(node, yaml.ScalarNode) and node.value else ""
            self._complain(node, f"{where} must be text{hint}")
            return ""
        if not node.value and not may_be_empty:
            self._complain(node, f"{where} must not be empty")
        return str(node.value)

    def _choice(self, node: yaml.Node, choices: tuple[str, ...], where: str) -> str:
        text = node.value if isinstance(node, yaml.ScalarNode) and node.tag not in (NULL, BOOL, INT, FLOAT) else ""
        if text in choices:
            return str(text)
        self._complain(node, f"{where} must be {_listed(choices)}{suggestion(text, choices)}")
        return ""

    def _switch(self, node: yaml.Node | None, where: str) -> bool:
        if node is None:
            return False
        if not isinstance(node, yaml.ScalarNode) or node.tag != BOOL:
            self._complain(node, f"{where} must be true or false")
            return False
        return str(node.value).lower() == "true"

    def _number(self, node: yaml.Node | None, where: str) -> int | None:
        if node is None:
            return None
        if not isinstance(node, yaml.ScalarNode) or node.tag != INT or node.value.startswith("-"):
            self._complain(node, f"{where} must be a whole number, 0 for no limit")
            return None
        return int(node.value)

    def _identifier(self, name: Name, where: str) -> None:
        if name.text and not _IDENTIFIER.fullmatch(name.text):
            self._note(name, f'{where} is made of letters, digits and _, a letter first, which "{name.text}" is not')

    def _mark(self, node: yaml.Node) -> Mark:
        return mark_of(node, self._file)

    def _note(self, name: Name, message: str) -> None:
        self._problems.append(Problem(name.mark, message))

    def _complain(self, node: yaml.Node, message: str) -> None:
        self._problems.append(Problem(self._mark(node), message))


def _is_switch(node: yaml.Node | None) -> bool:
    """Whether true or false is said, or meant: the columns yes and no can still be named in a list."""
    return isinstance(node, yaml.ScalarNode) and (node.tag == BOOL or node.value in ("yes", "no", "on", "off"))


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == NULL


def _listed(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
