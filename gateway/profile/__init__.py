"""What is known of a product's database, as plain data that travels with the package.

What comes in: a profile's name. What goes out: the rows of its files, untouched;
`catalog.knowledge.parse_profile` gives them types, so that catalog and profile do
not know each other. Nothing is cached: a profile is read once per start or reload.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

import yaml

NAMES: Final = ("perfex",)
"""The profiles there are."""

_TABLES: Final = (
    "allowed",
    "columns",
    "customfields",
    "derived",
    "fillers",
    "indexes",
    "kinds",
    "known",
    "labels",
    "managed",
    "picks",
    "relationships",
    "relationships_dropped",
    "sensitive",
    "tables",
)


def load_profile(name: str) -> Mapping[str, Any]:
    """Return a profile: ``profile.yaml``'s mapping under ``settings``, and each CSV file as a tuple of rows by name.

    Raises:
        KeyError: there is no profile of this name.
    """
    if name not in NAMES:
        raise KeyError(name)
    rows = {stem: tuple(csv.DictReader(io.StringIO(_text(name, f"{stem}.csv")))) for stem in _TABLES}
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return {"settings": yaml.load(_text(name, "profile.yaml"), Loader=loader), **rows}  # noqa: S506 - a safe loader


def _text(name: str, file: str) -> str:
    return files(__name__).joinpath(name, file).read_text(encoding="utf-8")
