"""YAML text -> a tree of nodes that know where they stand.

What comes in: the text of a file an administrator edits by hand. What goes out:
PyYAML's nodes, with their marks, and the mistakes that can be seen without
knowing what the file is about. YAML's traps are closed here: a key given twice is
a mistake instead of the last one winning, ``no``, ``on``, ``1:30``, ``012`` and
``2026-01-01`` are text, and anchors, aliases and tags are refused.
"""

from __future__ import annotations

import re
from typing import Any, Final

import yaml
from yaml.events import AliasEvent, NodeEvent

from gateway.catalog.exposure import Mark, Problem

MAX_DEPTH: Final = 20
NULL: Final = "tag:yaml.org,2002:null"
BOOL: Final = "tag:yaml.org,2002:bool"
INT: Final = "tag:yaml.org,2002:int"
FLOAT: Final = "tag:yaml.org,2002:float"
TEXT: Final = "tag:yaml.org,2002:str"

_SCALARS: Final = (
    (NULL, r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    (BOOL, r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    (INT, r"[-+]?(?:0|[1-9][0-9]*)", list("-+0123456789")),
    (FLOAT, r"[-+]?(?:0|[1-9][0-9]*)?\.[0-9]+(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
)


class _TooDeepError(yaml.MarkedYAMLError):
    """Nesting that no file of ours has; deeper it would exhaust the interpreter's stack."""


class NodeLoader(yaml.SafeLoader):
    """PyYAML's composer with the four scalar types of JSON, and ears for anchors, tags and depth."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  # PyYAML's own attribute

    def __init__(self, text: str, file: str) -> None:
        super().__init__(text)
        self._file = file
        self._depth = 0
        self.problems: list[Problem] = []

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Return the next node; an alias becomes an empty text, so that reading can go on."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it untyped
        self._look_at(event)
        if isinstance(event, AliasEvent):
            self.get_event()  # type: ignore[no-untyped-call]  # as above
            place: Any = event  # narrowed, its marks would be typed more widely than a node takes them
            return yaml.ScalarNode(TEXT, event.anchor, place.start_mark, place.end_mark)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _TooDeepError(problem="nested too deep", problem_mark=event.start_mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def _look_at(self, event: Any) -> None:
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor is not None):
            self._complain(event, "anchors and aliases (& and *) are not read here; write the value out, or quote it")
        elif getattr(event, "tag", None) is not None:
            self._complain(event, f"tags ({event.tag}) are not read here; write the plain value, or quote it")

    def _complain(self, event: Any, message: str) -> None:
        self.problems.append(Problem(mark_of(event, self._file), message))


for _tag, _pattern, _first in _SCALARS:
    NodeLoader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), _first)


def mark_of(node: Any, file: str) -> Mark:
    """Return the place where a node or an event of PyYAML begins."""
    return Mark(file, node.start_mark.line + 1, node.start_mark.column + 1)


def compose(text: str, file: str, problems: list[Problem]) -> yaml.Node | None:
    """Return the root node, None when the text is empty or no YAML; what is wrong is added to ``problems``."""
    try:
        loader = NodeLoader(text, file)
    except yaml.reader.ReaderError as error:
        problems.append(_unreadable(error, text, file))
        return None
    try:
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        problems.extend(loader.problems)
        problems.append(_syntax_problem(error, file))
        return None
    finally:
        loader.dispose()
    problems.extend(loader.problems)
    _find_duplicates(root, file, problems)
    return root


def _unreadable(error: yaml.reader.ReaderError, text: str, file: str) -> Problem:
    before = text[: error.position]
    mark = Mark(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
    return Problem(mark, f"the control character {text[error.position]!r} cannot stand in YAML; remove it")


_ADVICE: Final = (
    ("'\\t'", "a tab cannot indent YAML; use spaces"),
    ("expected a single document", "a second document begins here; keep one, without further ---"),
    ("nested too deep", f"nested deeper than {MAX_DEPTH} levels; no key of this file is"),
    (
        "mapping values are not allowed",
        "a colon is not expected here; check the indentation, or quote text that holds one",
    ),
    ("could not find expected ':'", "a key without a colon; write `name:`"),
    ("expected <block end>", "the indentation does not match the lines above; align it with them"),
    ("while scanning a quoted scalar", "a quote is opened and never closed"),
    ("while parsing a flow", "a bracket or brace is opened and not closed, or a comma is missing"),
    ("that cannot start any token", "a text cannot begin with this character; put it into quotes"),
)


def _syntax_problem(error: yaml.MarkedYAMLError, file: str) -> Problem:
    place = error.problem_mark or error.context_mark
    mark = Mark(file, place.line + 1, place.column + 1) if place else Mark(file, 1, 1)
    said = f"{error.problem or ''} {error.context or ''}"
    advice = next((text for part, text in _ADVICE if part in said), f"not valid YAML: {error.problem}")
    began = error.context_mark
    since = f" (it began at line {began.line + 1})" if began and place and began.line != place.line else ""
    return Problem(mark, advice + since)


def _find_duplicates(node: yaml.Node | None, file: str, problems: list[Problem]) -> None:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _find_duplicates(item, file, problems)
    elif isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name in seen:
                problems.append(Problem(mark_of(key, file), f'"{name}" is given twice, first in line {seen[name]}'))
            elif name is not None:
                seen[name] = key.start_mark.line + 1
            _find_duplicates(value, file, problems)
