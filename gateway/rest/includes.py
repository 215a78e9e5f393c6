"""Parameters of embeds -> embed intents: ``include=…``, ``include[payments][limit]=5``, ``fields[client]=…``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gateway.errors import RequestError
from gateway.query.intent import EmbedIntent, OrderIntent
from gateway.rest.filters import Clause, grow, read_clause
from gateway.rest.given import Given, brackets_of, dotted, parse_sort, stem_of, whole, words

Path = tuple[str, ...]


@dataclass(slots=True)
class _Draft:
    parameter: str
    fields: tuple[str, ...] | None = None
    clauses: list[Clause] = field(default_factory=list)
    order: tuple[OrderIntent, ...] = ()
    limit: int | None = None


class _Drafts(dict[Path, _Draft]):
    """Embeds by their paths, in the order in which they were first named."""

    def named(self, path: Path, parameter: str) -> _Draft:
        return self.setdefault(path, _Draft(parameter))

    def reach(self, path: Path) -> bool:
        """Whether a path is an embed, or on the way to one."""
        return any(known[: len(path)] == path for known in self)


def parse_embeds(
    given: Given, groups: Iterable[str] = (), own: frozenset[str] = frozenset()
) -> tuple[EmbedIntent, ...]:
    """Return the embeds that some parameters ask for.

    ``groups`` are the words of ``group``: their rows come along without ``include``. ``own`` are the
    names of the resource itself, by which ``fields[…]`` means its own fields.

    Raises:
        RequestError: ``include_syntax``, ``fields_syntax``, ``sort_syntax``, ``filter_syntax``, ``page_invalid``,
            ``parameter_missing`` for the fields of what is not included.
    """
    drafts = _Drafts()
    for name, value in given.items():
        if name == "include":
            for word in words(value, name, "include_syntax"):
                drafts.named(_path(word, name), name)
        elif stem_of(name) == "include":
            _refine(drafts, name, value)
    for name, value in given.items():
        if stem_of(name) == "fields" and name != "fields":
            _choose(drafts, name, value, {tuple(word.split(".")) for word in groups}, own)
    return tuple(
        EmbedIntent(path, draft.fields, grow(draft.clauses), draft.order, draft.limit, draft.parameter)
        for path, draft in drafts.items()
    )


def own_fields(given: Given, own: frozenset[str], embeds: Sequence[EmbedIntent]) -> tuple[str, ...] | None:
    """Return the fields of the rows themselves: ``fields``, or ``fields[invoices]`` on a list of invoices.

    Raises:
        RequestError: ``fields_syntax``, ``parameter_conflict`` where both are given and differ.
    """
    chosen: dict[str, tuple[str, ...]] = {}
    for name, value in given.items():
        if name == "fields" or (stem_of(name) == "fields" and _is_own(name, own, embeds)):
            chosen[name] = words(value, name, "fields_syntax")
    if len(set(chosen.values())) > 1:
        detail = f"{' and '.join(chosen)} mean the same and differ."
        raise RequestError("parameter_conflict", detail, parameter=next(iter(chosen)))
    return next(iter(chosen.values()), None)


def _is_own(name: str, own: frozenset[str], embeds: Sequence[EmbedIntent]) -> bool:
    inner = name.removeprefix("fields[").removesuffix("]")
    return inner in own and not any(embed.path[:1] == (inner,) for embed in embeds)


def _refine(drafts: _Drafts, name: str, value: object) -> None:
    """``include[payments][sort]`` and its kin; they include what they speak of."""
    match brackets_of(name):
        case (word, "sort"):
            drafts.named(_path(word, name), name).order = parse_sort(value, name)
        case (word, "limit"):
            drafts.named(_path(word, name), name).limit = whole(value, name, 1)
        case (word, "filter", *inner):
            drafts.named(_path(word, name), name).clauses.append(read_clause(name, inner, value))
        case _:
            detail = (
                f"{name} is not known: write include[path][sort], include[path][limit] or include[path][filter][…]."
            )
            raise RequestError("include_syntax", detail, parameter=name)


def _choose(drafts: _Drafts, name: str, value: object, groups: set[Path], own: frozenset[str]) -> None:
    match brackets_of(name):
        case (word,) if (path := dotted(word)) is not None:
            if drafts.reach(path) or path in groups:
                drafts.named(path, name).fields = words(value, name, "fields_syntax")
            elif word not in own:
                detail = f"{name} chooses fields of what is not included: add include={word}."
                raise RequestError("parameter_missing", detail, parameter=name)
        case _:
            detail = f"{name} is no list of fields: write fields or fields[path]."
            raise RequestError("fields_syntax", detail, parameter=name)


def _path(word: str, parameter: str) -> Path:
    path = dotted(word)
    if path is None:
        detail = f"{parameter} has a path with an empty name: {word!r}."
        raise RequestError("include_syntax", detail, parameter=parameter)
    return path
