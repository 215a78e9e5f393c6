"""The package keeps the layers of `tests.support.layers`, and the checker sees each way to break them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

import gateway
from tests.support.layers import violations

PACKAGE = Path(gateway.__file__).parent


def tree(root: Path, sources: Mapping[str, str]) -> Path:
    """Write modules, named by their path in the package, beside a few empty ones; return the package directory."""
    package = root / "gateway"
    empty = dict.fromkeys(("__init__.py", "errors.py", "catalog/__init__.py", "query/__init__.py"), "")
    for name, source in (empty | dict(sources)).items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return package


def test_the_package_keeps_its_layers() -> None:
    """No module imports upward or sideways, and drivers and the web framework stay where they belong."""
    assert violations(PACKAGE) == ()


@pytest.mark.parametrize(
    "source",
    [
        "from gateway.catalog import model",
        "import gateway.catalog.model",
        "from .. import errors",
        "from ..catalog.model import Table",
        "from gateway import __version__",
        "from . import intent",
        "import asyncio, sqlalchemy",
    ],
)
def test_imports_downward_and_within_a_package_are_fine(tmp_path: Path, source: str) -> None:
    """A lower rung, the own package, errors, the package's version and other libraries may be imported."""
    package = tree(tmp_path, {"query/planner.py": source, "query/intent.py": "", "catalog/model.py": ""})

    assert violations(package) == ()


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("import gateway.query", "gateway.catalog.build:1 imports gateway.query: upward, from rung 1 to 2"),
        ("from gateway import query", "gateway.catalog.build:1 imports gateway.query: upward, from rung 1 to 2"),
        (
            "from gateway.query.plan import X",
            "gateway.catalog.build:1 imports gateway.query.plan: upward, from rung 1 to 2",
        ),
        ("from ..query import plan", "gateway.catalog.build:1 imports gateway.query.plan: upward, from rung 1 to 2"),
        ("from .. import query", "gateway.catalog.build:1 imports gateway.query: upward, from rung 1 to 2"),
        (
            "\ndef f():\n    import gateway.query",
            "gateway.catalog.build:3 imports gateway.query: upward, from rung 1 to 2",
        ),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from gateway.query import plan",
            "gateway.catalog.build:3 imports gateway.query.plan: upward, from rung 1 to 2",
        ),
        ("from gateway import profile", "gateway.catalog.build:1 imports gateway.profile: sideways, both on rung 1"),
        (
            "import gateway.helpers",
            "gateway.catalog.build:1 imports gateway.helpers: helpers is no module of the package",
        ),
    ],
)
def test_every_way_to_import_upward_or_sideways_is_seen(tmp_path: Path, source: str, complaint: str) -> None:
    """The rule cannot be evaded by relative, local or type-checking imports."""
    package = tree(tmp_path, {"catalog/build.py": source, "query/plan.py": "", "profile/__init__.py": ""})

    assert violations(package) == (complaint,)


def test_a_relative_import_in_a_package_file_starts_at_that_package(tmp_path: Path) -> None:
    """One dot in ``catalog/__init__.py`` means catalog, two mean gateway."""
    package = tree(
        tmp_path, {"catalog/__init__.py": "from . import model\nfrom .. import query", "catalog/model.py": ""}
    )

    assert violations(package) == ("gateway.catalog:2 imports gateway.query: upward, from rung 1 to 2",)


def test_the_foot_of_the_package_imports_none_of_its_modules(tmp_path: Path) -> None:
    """``gateway/__init__.py`` is below every rung, because importing any module runs it first."""
    package = tree(tmp_path, {"__init__.py": "from gateway.catalog import model", "catalog/model.py": ""})

    assert violations(package) == ("gateway:1 imports gateway.catalog.model: upward, from rung -1 to 1",)


def test_a_module_without_a_rung_is_refused(tmp_path: Path) -> None:
    """A new package must be placed before the suite passes."""
    package = tree(tmp_path, {"utils.py": ""})

    assert violations(package) == ("gateway.utils: utils has no rung, place it in tests.support.layers.RUNGS",)


def test_modules_of_rung_zero_share_only_errors(tmp_path: Path) -> None:
    """Settings and observations are apart; errors are for everybody."""
    package = tree(tmp_path, {"settings.py": "import gateway.errors\nimport gateway.observe", "observe.py": ""})

    assert violations(package) == ("gateway.settings:2 imports gateway.observe: sideways, both on rung 0",)


@pytest.mark.parametrize(
    ("module", "library", "homes"),
    [
        ("rest/parse.py", "starlette.requests", "gateway.explorer, gateway.web, gateway.cli"),
        ("operations/rows.py", "pymysql.err", "gateway.execution, gateway.catalog.reflect, gateway.state"),
        ("web/app.py", "asyncmy", "gateway.execution, gateway.catalog.reflect, gateway.state"),
        ("catalog/build.py", "sqlite3", "gateway.execution, gateway.catalog.reflect, gateway.state"),
    ],
)
def test_drivers_and_the_web_framework_have_homes(tmp_path: Path, module: str, library: str, homes: str) -> None:
    """Starlette is for rung 7 and above, database drivers for the modules that speak to databases."""
    package = tree(tmp_path, {module: f"import {library}"})

    name = f"gateway.{module.removesuffix('.py').replace('/', '.')}"
    assert violations(package) == (f"{name}:1 imports {library}: only {homes} may",)


def test_drivers_and_the_web_framework_are_welcome_at_home(tmp_path: Path) -> None:
    """A home covers the modules inside it, and one module alone where only that is named."""
    sources = {
        "catalog/reflect.py": "import pymysql",
        "execution/pool.py": "import asyncmy",
        "web/routes.py": "import starlette",
    }
    package = tree(tmp_path, sources)

    assert violations(package) == ()


def test_the_composition_root_alone_wires_its_own_rung(tmp_path: Path) -> None:
    """``web/app.py`` may import the explorer; the rest of the web package may not."""
    package = tree(
        tmp_path,
        {
            "explorer/__init__.py": "",
            "web/app.py": "import gateway.explorer",
            "web/routes.py": "import gateway.explorer",
        },
    )

    assert violations(package) == ("gateway.web.routes:1 imports gateway.explorer: sideways, both on rung 7",)
