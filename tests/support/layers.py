"""The layers of the package as data, and a checker that reads the sources without importing them.

A module imports its own package or a lower rung. Packages on one rung do not know each other. Everybody may import
`gateway.errors` and what `gateway/__init__.py` defines.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT_PACKAGE = "gateway"

RUNGS: Mapping[str, int] = {
    "errors": 0,
    "settings": 0,
    "observe": 0,
    "timing": 0,
    "catalog": 1,
    "profile": 1,
    "query": 2,
    "sql": 3,
    "state": 3,
    "execution": 4,
    "operations": 5,
    "security": 5,
    "rest": 6,
    "graphql": 6,
    "odata": 6,
    "export": 6,
    "business": 6,
    "formats": 6,
    "webhooks": 6,
    "explorer": 7,
    "web": 7,
    "cli": 8,
    "__main__": 8,
}
"""Each top-level module or package and its rung; a new one must be placed here. `gateway` itself is below them all."""

FOR_EVERYBODY = frozenset({"", "errors"})
"""Top-level names anybody may import; the empty name is `gateway` itself."""

EXCEPTIONS: Mapping[str, frozenset[str]] = {
    "gateway.web.app": frozenset({"explorer"}),  # the composition root wires its own rung too
    "gateway.__main__": frozenset({"cli"}),
}
"""Sideways imports that are meant, by importing module."""

FOREIGN: Mapping[str, tuple[str, ...]] = {
    "graphql": ("gateway.graphql",),
    "starlette": ("gateway.explorer", "gateway.web", "gateway.cli"),
    "uvicorn": ("gateway.web", "gateway.cli"),
    "asyncmy": ("gateway.execution", "gateway.catalog.reflect", "gateway.state"),
    "pymysql": ("gateway.execution", "gateway.catalog.reflect", "gateway.state"),
    "prometheus_client": ("gateway.web", "gateway.cli"),
    "jwt": ("gateway.security",),
    "redis": ("gateway.state",),
    "psycopg": (),
    "opentelemetry": ("gateway.web",),
    "pyarrow": ("gateway.formats",),
    "xlsxwriter": ("gateway.formats",),
    "sqlite3": ("gateway.execution", "gateway.catalog.reflect", "gateway.state"),
}
"""Libraries that only the named modules, and what is inside them, may import."""


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, as an absolute name, and where it was imported."""

    importer: str
    target: str
    line: int


def violations(package: Path) -> tuple[str, ...]:
    """Return what breaks the layers under ``package`` (the directory of `gateway`), one line each, in path order."""
    modules = {_module_name(path, package): path for path in sorted(package.rglob("*.py"))}
    names = frozenset(modules)
    found = [f"{name}: {_top(name)} has no rung, place it in {__name__}.RUNGS" for name in modules if _unplaced(name)]
    for name, path in modules.items():
        found += [text for item in imports(name, path, names) if (text := _complaint(item))]
    return tuple(found)


def imports(module: str, path: Path, known: frozenset[str]) -> Iterator[Import]:
    """Yield every import in a file, wherever it stands: in functions and under ``TYPE_CHECKING`` too.

    ``from a import b`` counts as ``a.b`` where that is a module in ``known``, else as ``a``.
    """
    is_package = path.name == "__init__.py"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, is_package, node)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield Import(module, inner if inner in known else base, node.lineno)


def _complaint(item: Import) -> str | None:
    here = f"{item.importer}:{item.line} imports {item.target}"
    if item.target.split(".")[0] != ROOT_PACKAGE:
        return _foreign_complaint(item, here)
    source, target = _top(item.importer), _top(item.target)
    if source == target or target in FOR_EVERYBODY or target in EXCEPTIONS.get(item.importer, ()):
        return None
    if target not in RUNGS:
        return f"{here}: {target} is no module of the package"
    own, other = RUNGS.get(source, -1), RUNGS[target]
    if other > own:
        return f"{here}: upward, from rung {own} to {other}"
    return f"{here}: sideways, both on rung {own}" if other == own else None


def _foreign_complaint(item: Import, here: str) -> str | None:
    homes = FOREIGN.get(item.target.split(".")[0])
    if homes is None or any(item.importer == home or item.importer.startswith(f"{home}.") for home in homes):
        return None
    return f"{here}: only {', '.join(homes)} may"


def _module_name(path: Path, package: Path) -> str:
    parts = (ROOT_PACKAGE, *path.relative_to(package).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _top(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def _unplaced(module: str) -> bool:
    return _top(module) not in RUNGS and _top(module) != ""


def _absolute(module: str, is_package: bool, node: ast.ImportFrom) -> str:
    """Return the absolute name of the module a ``from`` import names."""
    if node.level == 0:
        return node.module or ""
    parts = module.split(".")
    keep = len(parts) - node.level + (1 if is_package else 0)
    return ".".join((*parts[:keep], *((node.module,) if node.module else ())))
